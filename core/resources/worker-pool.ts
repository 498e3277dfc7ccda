import { z } from 'zod';
import type { apiVersion } from './api-group.ts';
import { conditionsSchema, observedGeneration } from './condition.ts';
import { count, duration, objectName, timestamp } from './leaf.ts';
import type { ObjectMetadata } from './object-metadata.ts';
import { podSettings } from './pod-settings.ts';

const autoscalingSchema = z
  .strictObject({
    minReplicas: z
      .number()
      .int()
      .min(0)
      .max(10_000)
      .default(0)
      .describe('Pods that stay when there is no work; 0 lets the pool go away until work comes.'),
    maxReplicas: z.number().int().min(1).max(10_000).describe('Pods at most, however deep the queues are.'),
    tasksPerSlot: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(1)
      .describe(
        'Tasks that may wait or run for each slot before another pod is wanted: pods = tasks / (concurrency x tasksPerSlot), rounded up.',
      ),
    scaleDownDelay: duration()
      .default('60s')
      .describe(
        'How long fewer pods must have sufficed before pods go, such as 30s or 10m; a second at least. Going up never waits.',
      )
      .meta({
        'x-kubernetes-validations': [
          { rule: "duration(self) <= duration('24h')", message: 'scaleDownDelay may be 24h at most' },
        ],
      }),
  })
  .meta({
    'x-kubernetes-validations': [
      { rule: 'self.minReplicas <= self.maxReplicas', message: 'minReplicas may not be above maxReplicas' },
    ],
  });

export const workerPoolSpecSchema = z
  .strictObject({
    queues: z
      .array(objectName())
      .min(1)
      .max(64)
      .meta({ 'x-kubernetes-list-type': 'set' })
      .describe('TaskQueues of this namespace whose tasks these workers run. All must use the same connection.'),
    runtime: z
      .enum(['TypeScript'])
      .default('TypeScript')
      .describe(
        'What runs the tasks: TypeScript is the Arpeggio worker image with task modules in TypeScript or JavaScript.',
      ),
    ...podSettings,
    concurrency: z
      .number()
      .int()
      .min(1)
      .max(1000)
      .default(1)
      .describe('Tasks that one pod runs at the same time: its slots.'),
    autoscaling: autoscalingSchema
      .exactOptional()
      .describe('Lets the operator choose the number of pods from the depth of the queues. Either this or replicas.'),
    replicas: z
      .number()
      .int()
      .min(0)
      .max(10_000)
      .exactOptional()
      .describe('A fixed number of pods, also set by kubectl scale; 1 when neither this nor autoscaling is given.'),
    drainTimeout: duration()
      .default('1h')
      .describe(
        'How long a pod that is asked to stop may finish the tasks it runs, such as 30s or 2h; what is unfinished then goes back to its queue.',
      )
      .meta({
        'x-kubernetes-validations': [
          { rule: "duration(self) <= duration('168h')", message: 'drainTimeout may be 168h at most' },
        ],
      }),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: '!(has(self.autoscaling) && has(self.replicas))',
        message: 'give either autoscaling or replicas: with autoscaling, change minReplicas and maxReplicas instead',
      },
    ],
  })
  .describe('Workers for some queues, on some kind of node.');

/** The name stands in a label of every pod, and label values are 63 characters at most. */
export const workerPoolNameRule = {
  rule: 'self.metadata.name.size() <= 63',
  message: 'the name of a WorkerPool may have 63 characters at most, for it stands in a label of its pods',
} as const;

const scalingDecisionSchema = z.strictObject({
  replicas: count().describe('The number of pods that was decided on.'),
  reason: z.string().max(64).describe('One CamelCase word for why.'),
  at: timestamp().describe('When it was decided.'),
  inputs: z
    .strictObject({
      waiting: count().exactOptional().describe('Messages waiting in the queues. Absent when it was not known.'),
      held: count()
        .exactOptional()
        .describe(
          'Messages of workflows that were due and kept back until workers are near. Absent when it was not known.',
        ),
      inFlight: count().exactOptional().describe('Messages taken and not finished. Absent when it was not known.'),
      slotsPerReplica: count().exactOptional().describe('Slots of one pod.'),
      tasksPerSlot: count().exactOptional().describe('Tasks for each slot before another pod is wanted.'),
      currentReplicas: count().exactOptional().describe('Pods asked for before this decision.'),
      minReplicas: count().exactOptional().describe('The lower bound that held.'),
      maxReplicas: count().exactOptional().describe('The upper bound that held.'),
    })
    .describe('Everything the decision was made from.'),
});

export const workerPoolStatusSchema = z
  .strictObject({
    observedGeneration: observedGeneration(),
    conditions: conditionsSchema
      .exactOptional()
      .describe(
        'Ready: the pool does what its spec says. ScalingLimited: more pods are wanted than maxReplicas allows. PodsSchedulable: every pod found a node.',
      ),
    selector: z
      .string()
      .max(2048)
      .exactOptional()
      .describe('Label selector of the pods of this pool, as kubectl scale and autoscalers need it.'),
    replicas: count().exactOptional().describe('Pods that exist.'),
    readyReplicas: count().exactOptional().describe('Pods whose worker has started.'),
    slots: z
      .strictObject({
        busy: count().describe('Slots that run a task.'),
        free: count().describe('Slots that wait for one.'),
      })
      .exactOptional()
      .describe('Places for running tasks, over all pods. Absent while it is not known.'),
    lastDecision: scalingDecisionSchema
      .exactOptional()
      .describe('The latest decision about the number of pods, with what it was made from.'),
  })
  .describe('What the operator last saw of the pool.');

export type ScalingDecision = z.output<typeof scalingDecisionSchema>;
export type WorkerPoolSpec = z.output<typeof workerPoolSpecSchema>;
export type WorkerPoolStatus = z.output<typeof workerPoolStatusSchema>;

/** A WorkerPool as the API server serves it: validated, with its defaults filled in. */
export interface WorkerPool {
  readonly apiVersion: typeof apiVersion;
  readonly kind: 'WorkerPool';
  readonly metadata: ObjectMetadata;
  readonly spec: WorkerPoolSpec;
  readonly status?: WorkerPoolStatus;
}
