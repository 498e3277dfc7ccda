/**
 * Every reason a condition may have, with what it tells a person. Users compare reasons in scripts: a word that has been
 * released keeps its meaning. The reference page of the documentation is made from these sentences.
 */

/** Reasons of a Workflow's condition Succeeded; shown as STATE. */
export const workflowReasons = {
  Pending: 'The operator has seen the workflow and has not begun it yet.',
  Running: 'Tasks are waiting or running.',
  Suspended: 'spec.suspend is true: nothing more is sent. What was sent already goes on.',
  Cancelling:
    'It was cancelled or its deadline passed; what waits was withdrawn, and what runs was asked to stop and has up to 30 s.',
  Finalizing: 'The outcome is fixed; link, linkError and finally are being run.',
  Succeeded: 'Every task it needed succeeded.',
  Failed: 'A task failed for good; what depended on it was skipped.',
  Cancelled: 'It was cancelled before it ended: by spec.cancel, or because a task that it needed was revoked.',
  DeadlineExceeded: 'spec.deadline passed before it ended; what waited was withdrawn, what ran was asked to stop.',
  Invalid: 'The spec cannot be run; the message names the place. Delete the workflow and create it anew.',
  SpecChanged:
    'The spec no longer is the one that was begun, and the run was stopped. Delete the workflow and create it anew.',
  NoQueue: 'A task is due that no TaskQueue takes; it waits until one does.',
  RouteConflict: 'A task is due that two TaskQueues claim equally; it waits until one gives way.',
  QueuesWithDifferentResults: 'A task is due on a queue whose results lie in another Redis than the run; it waits.',
  ConnectionNotReady: 'The connection of the run cannot be used at present; the run goes on by itself when it can.',
  OperatorError:
    'The operator failed on the run and tries again by itself. That is a defect of it: its log tells more, please report it.',
  DataLost:
    'The Redis of the run lost it, and too little is known of it to go on. Delete the workflow and create it anew.',
  UnknownPlanVersion: 'The run was begun by a newer operator, which this one does not understand; it is left alone.',
} as const;

/** Types of failures that the operator itself establishes, beside those that workers raise. */
export const failureTypes = {
  ResultTooLarge: 'A result is larger than may be handed on. Store it elsewhere and return where it is.',
  ResultLost: 'A result that was still needed is gone from Redis.',
  WorkerLost:
    'The task was lost with its worker more often than it may be. Where its worker lived to say so, the type is WorkerLostError, and it counts the same.',
  HandlerTimeout: 'A callback, errback or clean-up did not end in time.',
  WaitLimitExceeded: 'The task was due for longer than its waitLimit, and no worker took it.',
  TimeLimitExceeded: 'The task ran longer than its timeLimit, and its worker neither ended it nor told so.',
  Expired: 'No worker took the task before its expires.',
  Unstoppable: 'The task was asked to stop and went on; its result no longer counts.',
  NotAList: 'A map was to go over what is no list or too long a one, or to unpack an item that is no list.',
  ConditionFailed: 'The CEL expression of when could not be judged; the message says why.',
  NoResult:
    'Its worker is done with the task and stored no result: it raised Ignore or Reject, its result is ignored, or its message could not be read.',
  PoisonMessage: 'The task was delivered again and again without a result; its message lies in the dead-letter queue.',
} as const;

/** Reasons of the Kubernetes events of a Workflow, beside those of its condition, with which its end is told. */
export const workflowEventReasons = {
  SuspendRequested: 'spec.suspend became true: nothing more is sent until it is false again.',
  Resumed: 'spec.suspend became false: the workflow goes on.',
  CancelRequested: 'spec.cancel became true: what waits is withdrawn, what runs is asked to stop.',
  RetryRequested: 'spec.retryFailed was raised: what failed, was lost or was cancelled runs again in a new round.',
  RetryRefused:
    'spec.retryFailed asks for a round, and spec.cancel is true: no round begins; the message says what to set.',
  DataLost: 'The Redis of the run lost data; the message counts what runs again.',
  NoWorkerPool: 'Tasks wait in a TaskQueue that no WorkerPool serves, and nobody has taken anything from it for 10 s.',
  TasksLost: 'Tasks were lost with their workers more often than they may be.',
} as const;

/** Reasons of a TaskQueue's condition Ready. */
export const taskQueueReasons = {
  Ready: 'The queue can be used.',
  NoWorkerPool:
    'The queue can be used, and messages wait in it that nobody has taken for 10 s; no WorkerPool serves it. A Celery worker may.',
  ConnectionNotFound: 'The connection Secret does not exist in this namespace.',
  ConnectionInvalid: 'The connection Secret cannot be used as it stands; the message names the key.',
  HostNotAllowed: 'The connection names a host that the administrator did not allow.',
  ConnectionTaken: 'Another namespace already uses the same server, database and prefix.',
  BrokerUnreachable: 'The broker does not answer.',
  ResultsUnreachable: 'The result store does not answer.',
  AuthenticationFailed: 'The broker or the result store refuses the user name or the password.',
  NotPermitted: 'The account of the connection may not do what is needed.',
  UnsupportedServer: 'The server is of a kind or version that cannot be used.',
  WritesRefused: 'The broker or the result store takes no writes at present: it is out of memory or disk, say.',
  RouteConflict: 'Another TaskQueue of the namespace claims one of the routes equally.',
  QueueNameTaken: 'Another TaskQueue of the namespace has the same name on the wire and the same connection.',
} as const;

/** Reasons of a WorkerPool's condition Ready. */
export const workerPoolReadyReasons = {
  Ready: 'The Deployment is as the spec says, and so are its pods.',
  ScaledToZero: 'There is no work, and no pod is wanted.',
  Progressing: 'Pods are being started or replaced.',
  QueueNotFound: 'A TaskQueue that spec.queues names does not exist.',
  QueuesWithDifferentConnections: 'The TaskQueues of spec.queues do not share one connection.',
  ConnectionNotReady: 'The connection of the queues cannot be used at present.',
  ImagePullFailed: 'The image cannot be pulled; the message says what the node was told.',
  ContainerCrashing: 'The worker ends again and again; the message says how it ended last.',
  ContainerConfigError: 'The container cannot be made: a Secret or ConfigMap that it names is missing, say.',
  DeploymentNotOurs: 'A Deployment of that name exists and belongs to something else.',
  DeploymentRefused: 'The API server refuses the Deployment; the message says why.',
  PodsRefused: 'The API server refuses the pods: a quota or an admission rule, say.',
  Deleting: 'The pool or its namespace is being deleted.',
} as const;

/** Reasons of a WorkerPool's condition ScalingLimited. */
export const scalingLimitedReasons = {
  WithinBounds: 'The number of pods is what the work asks for.',
  TooManyReplicas: 'The work asks for more pods than maxReplicas.',
  TooFewReplicas: 'The work asks for fewer pods than minReplicas.',
  NotAutoscaled: 'The number of pods is fixed by replicas.',
  UnknownDepth: 'The depth of a queue is not known; the number of pods is held.',
} as const;

/** Reasons of a WorkerPool's condition PodsSchedulable. */
export const podsSchedulableReasons = {
  AllScheduled: 'Every pod found a node.',
  NoPods: 'There are no pods.',
  Unschedulable: 'A pod finds no node; the message is that of the scheduler.',
} as const;

/** Reasons of a WorkerPool's last decision about its number of pods. */
export const scalingDecisionReasons = {
  Fixed: 'replicas says so.',
  Demand: 'It is what the waiting and running tasks need.',
  NoDemand: 'There is nothing to do.',
  MinReplicas: 'The work needs fewer, minReplicas holds.',
  MaxReplicas: 'The work needs more, maxReplicas holds.',
  ScaleDownDelay: 'Fewer would do, and scaleDownDelay has not passed yet.',
  UnknownDepth: 'The depth of a queue is not known; the number is held.',
} as const;

export type WorkflowReason = keyof typeof workflowReasons;
export type FailureType = keyof typeof failureTypes;
export type WorkflowEventReason = keyof typeof workflowEventReasons;
export type TaskQueueReason = keyof typeof taskQueueReasons;
export type WorkerPoolReadyReason = keyof typeof workerPoolReadyReasons;
export type PodsSchedulableReason = keyof typeof podsSchedulableReasons;
