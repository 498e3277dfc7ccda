import type { ResourceKind } from '../api-group.ts';

/** A column of `kubectl get`; priority 1 shows it with `-o wide` only. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: 1;
}

const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since it was created.',
};

const ofCondition = (type: string, field: 'reason' | 'message') => `.status.conditions[?(@.type=="${type}")].${field}`;

export const printerColumns: Readonly<Record<ResourceKind, readonly PrinterColumn[]>> = {
  TaskQueue: [
    {
      name: 'State',
      type: 'string',
      jsonPath: ofCondition('Ready', 'reason'),
      description: 'The reason of the condition Ready.',
    },
    {
      name: 'Waiting',
      type: 'integer',
      jsonPath: '.status.waiting',
      description: 'Messages in the broker that no worker has taken.',
    },
    {
      name: 'Held',
      type: 'integer',
      jsonPath: '.status.held',
      description: 'Messages of workflows that are due but kept back until workers are near.',
    },
    {
      name: 'In-Flight',
      type: 'integer',
      jsonPath: '.status.inFlight',
      description: 'Messages taken and not finished.',
    },
    age,
    { name: 'Queue', type: 'string', jsonPath: '.status.queueName', description: 'The name on the wire.', priority: 1 },
    {
      name: 'Connection',
      type: 'string',
      jsonPath: '.spec.connection',
      description: 'The Secret that says where the broker is.',
      priority: 1,
    },
    {
      name: 'Message',
      type: 'string',
      jsonPath: ofCondition('Ready', 'message'),
      description: 'The message of the condition Ready.',
      priority: 1,
    },
  ],
  WorkerPool: [
    {
      name: 'State',
      type: 'string',
      jsonPath: ofCondition('Ready', 'reason'),
      description: 'The reason of the condition Ready.',
    },
    {
      name: 'Desired',
      type: 'integer',
      jsonPath: '.status.lastDecision.replicas',
      description: 'Pods that were last decided on.',
    },
    {
      name: 'Ready',
      type: 'integer',
      jsonPath: '.status.readyReplicas',
      description: 'Pods whose worker has started.',
    },
    { name: 'Busy', type: 'integer', jsonPath: '.status.slots.busy', description: 'Slots that run a task.' },
    { name: 'Free', type: 'integer', jsonPath: '.status.slots.free', description: 'Slots that wait for one.' },
    {
      name: 'Why',
      type: 'string',
      jsonPath: '.status.lastDecision.reason',
      description: 'The reason of the last decision about the number of pods.',
    },
    age,
    { name: 'Queues', type: 'string', jsonPath: '.spec.queues', description: 'The TaskQueues it serves.', priority: 1 },
    {
      name: 'Min',
      type: 'integer',
      jsonPath: '.spec.autoscaling.minReplicas',
      description: 'Pods that always stay.',
      priority: 1,
    },
    {
      name: 'Max',
      type: 'integer',
      jsonPath: '.spec.autoscaling.maxReplicas',
      description: 'Pods at most.',
      priority: 1,
    },
    { name: 'Image', type: 'string', jsonPath: '.spec.image', description: 'The image of the workers.', priority: 1 },
    {
      name: 'Message',
      type: 'string',
      jsonPath: ofCondition('Ready', 'message'),
      description: 'The message of the condition Ready.',
      priority: 1,
    },
  ],
  Workflow: [
    { name: 'State', type: 'string', jsonPath: '.status.state', description: 'The reason of the condition Succeeded.' },
    { name: 'Progress', type: 'string', jsonPath: '.status.progress', description: 'Finished tasks of all tasks.' },
    { name: 'Failed', type: 'integer', jsonPath: '.status.failed', description: 'Tasks that failed.' },
    { name: 'Step', type: 'string', jsonPath: '.status.step', description: 'What is running now.' },
    {
      name: 'Duration',
      type: 'string',
      jsonPath: '.status.duration',
      description: 'From start to end, once it ended.',
    },
    age,
    {
      name: 'Message',
      type: 'string',
      jsonPath: ofCondition('Succeeded', 'message'),
      description: 'The message of the condition Succeeded.',
      priority: 1,
    },
  ],
};
