import { z } from 'zod';
import { limits } from '#core/base/limits.ts';
import { conditionsSchema, observedGeneration } from './condition.ts';
import { count, timestamp } from './leaf.ts';

const stateWord = () =>
  z
    .string()
    .max(64)
    .regex(/^[A-Z][A-Za-z]*$/);
const path = () => z.string().max(512);
const taskId = () => z.string().max(255);
const member = () =>
  count()
    .exactOptional()
    .describe('Of a task inside a map, the member of the map: its item, or its chunk where the map has chunks.');
const shownTask = () => z.string().max(255);
const givenName = () => z.string().max(63).exactOptional().describe('The name that the element was given in spec.');

const stepStatusSchema = z.strictObject({
  id: count().describe("The step's number: the place of its element in the tree as written, counted from the root."),
  path: path().describe('Where the element stands in spec, such as spec.chain[2].group[0].'),
  name: givenName(),
  task: shownTask().exactOptional().describe("The task's name; absent for an element that is no task."),
  state: stateWord().describe(
    'What became of the step so far. Waiting: for what comes before it. Scheduled: for its time. Held: it is due and not sent yet. Queued: no worker was seen to begin it. Running. Retrying: its worker tries again by itself. Succeeded. Failed. Continued: it failed, and onFailure says to go on. Lost: with its worker. PassedOver: its condition did not hold. Skipped: what it needs failed. Cancelled.',
  ),
  member: member(),
  attempt: count().exactOptional().describe('How often it was started again; 0 for the first time.'),
  taskId: taskId()
    .exactOptional()
    .describe("The Celery task id of the latest attempt; celery's AsyncResult finds its result by it."),
  dueAt: timestamp()
    .exactOptional()
    .describe('Of a task that waits for its time: when it is due, by countdown, eta or the backoff of a retry.'),
  lastError: z
    .string()
    .max(limits.shownErrorCharacters)
    .exactOptional()
    .describe(
      'Of a task that is tried again: how its last attempt ended, as type and message. Not kept over a restart of the operator.',
    ),
  report: z
    .string()
    .max(64)
    .exactOptional()
    .describe('The state that the running task itself reported last, with update_state: PROGRESS, say.'),
  progress: z
    .string()
    .max(64)
    .exactOptional()
    .describe(
      'How far it is, such as 30/100: what the running task reported as done (or current) and total; of a map, its ended members of all.',
    ),
});

const stepFailureSchema = z.strictObject({
  step: count().describe("The step's number, as in steps."),
  path: path().describe('Where the element stands in spec.'),
  name: givenName(),
  task: shownTask().exactOptional().describe("The task's name."),
  attempt: count().exactOptional().describe('How often it was started again before; absent for the first time.'),
  member: member(),
  item: count()
    .exactOptional()
    .describe('The item of the map that failed, counted from 0 in the order of its list; of a chunk its first item.'),
  items: count().exactOptional().describe('Of a chunk: how many items it has, one of which failed.'),
  taskId: taskId().exactOptional().describe('The Celery task id of the attempt that failed.'),
  type: z.string().max(255).describe('The type of the error, such as ValueError.'),
  message: z
    .string()
    .max(limits.shownErrorCharacters * 4)
    .exactOptional()
    .describe('The beginning of its message.'),
});

const notStoppedSchema = z.strictObject({
  step: count().describe("The step's number, as in steps."),
  path: path().describe('Where the element stands in spec.'),
  name: givenName(),
  task: shownTask().describe("The task's name."),
  member: member(),
  taskId: taskId().describe('The Celery task id of the attempt that goes on.'),
});

const lostStatusSchema = z.strictObject({
  times: count().describe('How often the Redis of the run was found to have lost data of it.'),
  sentAgain: count().describe('Tasks that were sent and not finished when it did, and were sent again.'),
  runAgain: count().describe('Tasks that had finished and ran again, because their result was needed and gone.'),
});

const handlerStatusSchema = z.strictObject({
  kind: z.enum(['Link', 'LinkError', 'Finally']).describe('What it was called for.'),
  path: path().describe('Where it stands in spec.'),
  task: shownTask().describe("The task's name."),
  state: stateWord().describe('What became of it.'),
  taskId: taskId().exactOptional().describe('Its Celery task id.'),
  message: z.string().max(1024).exactOptional().describe('Why it did not run or did not succeed.'),
});

const homeSchema = z.strictObject({
  connection: z.string().max(253).describe('Name of the connection Secret whose result store holds the run.'),
  runId: z.string().max(64).describe('The run_id of that Redis when the run began.'),
});

export const workflowStatusSchema = z
  .strictObject({
    observedGeneration: observedGeneration(),
    conditions: conditionsSchema
      .exactOptional()
      .describe('Succeeded is Unknown while the workflow runs, then True or False; its reason is the state.'),
    state: stateWord()
      .exactOptional()
      .describe('The reason of the condition Succeeded, repeated for the STATE column.'),
    progress: z.string().max(64).exactOptional().describe('Finished tasks of all tasks, such as 3/5.'),
    done: count().exactOptional().describe('Tasks that are finished, well or not.'),
    total: count().exactOptional().describe('Tasks in all.'),
    running: count().exactOptional().describe('Tasks that are sent and not finished.'),
    failed: count().exactOptional().describe('Tasks that failed.'),
    held: count()
      .exactOptional()
      .describe(
        'Tasks that are due and not sent: until workers are near, by maxParallel or suspend, or because no queue takes them.',
      ),
    nextDueAt: timestamp()
      .exactOptional()
      .describe('When the next task begins, if nothing runs and only a countdown, an eta or a retry is waited for.'),
    unservedQueue: z
      .string()
      .max(253)
      .exactOptional()
      .describe(
        'The TaskQueue in which tasks of it wait for a worker, where no WorkerPool serves that queue and nobody has taken anything from it for 10 s.',
      ),
    step: z
      .string()
      .max(512)
      .exactOptional()
      .describe('What is running now: its name where it has one, else its task.'),
    startedAt: timestamp().exactOptional().describe('When the operator took up the workflow.'),
    finishedAt: timestamp().exactOptional().describe('When it ended; gone again when retryFailed begins a new round.'),
    duration: z.string().max(32).exactOptional().describe('From start to end, such as 1m3s; set at the end.'),
    result: z
      .unknown()
      .meta({ 'x-kubernetes-preserve-unknown-fields': true, nullable: true })
      .exactOptional()
      .describe('The final result when it is small. A larger one is found under resultTaskId.'),
    resultTaskId: taskId()
      .exactOptional()
      .describe("The Celery task id that holds the final result: celery's AsyncResult finds it."),
    home: homeSchema.exactOptional().describe('Where the run is kept while it lives; it never moves.'),
    run: z
      .string()
      .max(12)
      .regex(/^[0-9a-f]{12}$/)
      .exactOptional()
      .describe('The twelve hex digits with which every task id of this run begins.'),
    round: count()
      .exactOptional()
      .describe('The round of the run, a part of its task ids: raised by retryFailed and by loss of data, from 0.'),
    retried: count()
      .exactOptional()
      .describe('The value of spec.retryFailed that the latest round answered; a greater one asks for another round.'),
    rev: z
      .number()
      .int()
      .min(0)
      .exactOptional()
      .describe("The run's revision when this status was written; every change of the run raises it."),
    steps: z
      .array(stepStatusSchema)
      .max(limits.statusSteps)
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .exactOptional()
      .describe('The steps worth showing: those that run or went wrong first. Not all of them in a large workflow.'),
    failures: z
      .array(stepFailureSchema)
      .max(limits.statusFailures)
      .exactOptional()
      .describe(
        'The failures worth reading, in the order in which their tasks are written. Not all of them when there are many.',
      ),
    notStopped: z
      .array(notStoppedSchema)
      .max(limits.statusFailures)
      .exactOptional()
      .describe(
        `Tasks that were asked to stop, by cancel or deadline, and had not after ${limits.stopGraceSeconds} s. Not all of them when there are many.`,
      ),
    lost: lostStatusSchema
      .exactOptional()
      .describe('What was lost with data of Redis so far; absent when nothing was.'),
    handlers: z
      .array(handlerStatusSchema)
      .max(limits.statusSteps)
      .exactOptional()
      .describe('What became of link, linkError and finally.'),
    checkpoint: z
      .string()
      .max(limits.checkpointBytes)
      .exactOptional()
      .describe(
        'Which tasks had ended, and how, when this status was written, for an operator that finds nothing of the run in Redis. Not for reading.',
      ),
  })
  .describe('What became of the workflow so far.');

export type StepStatus = z.output<typeof stepStatusSchema>;
export type StepFailure = z.output<typeof stepFailureSchema>;
export type HandlerStatus = z.output<typeof handlerStatusSchema>;
export type NotStopped = z.output<typeof notStoppedSchema>;
export type LostStatus = z.output<typeof lostStatusSchema>;
export type WorkflowStatus = z.output<typeof workflowStatusSchema>;
