import { z } from 'zod';
import type { apiVersion } from './api-group.ts';
import { conditionsSchema, observedGeneration } from './condition.ts';
import { count, objectName } from './leaf.ts';
import type { ObjectMetadata } from './object-metadata.ts';

/** The name of the connection Secret that is meant when none is named. */
export const defaultConnectionName = 'arpeggio';

export const taskQueueSpecSchema = z
  .strictObject({
    connection: objectName()
      .default(defaultConnectionName)
      .describe(
        'Name of a Secret of type arpeggio.dev/connection in this namespace: where the broker and the result store are.',
      ),
    queueName: z
      .string()
      .min(1)
      .max(200)
      .regex(
        /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/,
        'is no name of a queue: letters, digits, _, . and - only, and no - at the front',
      )
      .exactOptional()
      .describe("The queue's name on the wire, as Celery clients know it. The object's own name when absent."),
    routes: z
      .array(
        z.string().min(1).max(255).regex(/^\S+$/, 'is neither the name of a task nor a glob: it may not hold blanks'),
      )
      .max(1000)
      .meta({ 'x-kubernetes-list-type': 'set' })
      .exactOptional()
      .describe(
        'Task names that belong to this queue, as in Celery task_routes. A glob may stand in a name: * for any characters, ? for one. An exact name wins over a glob, a longer literal beginning over a shorter; two queues that claim a task equally get the condition reason RouteConflict.',
      ),
  })
  .describe('A queue, and the tasks that go there.');

export const taskQueueStatusSchema = z
  .strictObject({
    observedGeneration: observedGeneration(),
    conditions: conditionsSchema
      .exactOptional()
      .describe('Ready says whether the queue can be used: its connection works and its routes clash with no other.'),
    queueName: z.string().max(253).exactOptional().describe('The name on the wire that is in use.'),
    waiting: count()
      .exactOptional()
      .describe('Messages in the broker that no worker has taken. Absent while it is not known.'),
    held: count()
      .exactOptional()
      .describe(
        'Messages of workflows that are due but kept back until workers are near; they count as demand. Absent while it is not known.',
      ),
    inFlight: count()
      .exactOptional()
      .describe('Messages taken by workers and not finished yet. Absent while it is not known.'),
  })
  .describe('What the operator last saw of the queue.');

export type TaskQueueSpec = z.output<typeof taskQueueSpecSchema>;
export type TaskQueueStatus = z.output<typeof taskQueueStatusSchema>;

/** A TaskQueue as the API server serves it: validated, with its defaults filled in. */
export interface TaskQueue {
  readonly apiVersion: typeof apiVersion;
  readonly kind: 'TaskQueue';
  readonly metadata: ObjectMetadata;
  readonly spec: TaskQueueSpec;
  readonly status?: TaskQueueStatus;
}
