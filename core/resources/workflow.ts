import { z } from 'zod';
import { limits } from '#core/base/limits.ts';
import { maxRound } from '#core/base/task-id.ts';
import type { apiVersion } from './api-group.ts';
import { elementSchema, handlersMax, stepFields, type Element } from './element.ts';
import { objectName, positiveSpan, span } from './leaf.ts';
import type { ObjectMetadata } from './object-metadata.ts';
import { signatureSchema } from './signature.ts';
import type { WorkflowStatus } from './workflow-status.ts';

/** A raise begins a round, and ids count no more of them; one is left for a loss of data. */
const mostRetries = maxRound - 1;

/** Fields of the run as a whole; a Workflow's spec is an element and a run. */
export const runFields = {
  finally: z
    .array(signatureSchema)
    .max(handlersMax)
    .exactOptional()
    .describe(
      'Tasks that run once at the very end, whatever happened; each is given {state, reason, failed} as its first argument, unless immutable is true.',
    ),
  defaultQueue: objectName()
    .exactOptional()
    .describe(
      'TaskQueue of this namespace for tasks that name no queue and that no route takes; the TaskQueue named default when absent.',
    ),
  deadline: positiveSpan()
    .exactOptional()
    .describe(
      'The longest the run may take from its beginning, 2h say; then what has not ended is cancelled, and the run fails with DeadlineExceeded. May be changed.',
    ),
  ttlAfterFinished: span()
    .exactOptional()
    .describe('Delete the Workflow so long after it ended; it stays for ever when absent. May be changed.'),
  suspend: z
    .boolean('must be true or false')
    .exactOptional()
    .describe('When true no further task is sent out; what is with the workers goes on. May be changed.'),
  cancel: z
    .boolean('must be true or false')
    .exactOptional()
    .describe(
      'When true what waits is withdrawn and what runs is asked to stop; linkError and finally still run. It stays true, unless retryFailed is raised at the same time. May be changed.',
    ),
  retryFailed: z
    .int('must be an integer')
    .min(0, 'must be 0 or more')
    .max(mostRetries, `may be ${mostRetries} at most`)
    .exactOptional()
    .describe(
      'Each raise of this number, once the run has ended, runs what failed, was lost or cancelled again. It never falls. May be changed.',
    ),
  maxParallel: z
    .int('must be an integer')
    .min(1, 'must be 1 or more')
    .max(limits.canvasMembers, `may be ${limits.canvasMembers} at most`)
    .exactOptional()
    .describe(
      'Tasks of this run that may be with the workers, waiting or running, at the same time; any number when absent.',
    ),
  showResult: z
    .boolean('must be true or false')
    .exactOptional()
    .describe('Whether a small final result is shown in status.result; true when absent.'),
} as const;

export const runSchema = z.strictObject(runFields);

/** Keys of spec that may change while the run lives. Every other key is frozen when the Workflow is created. */
export const mutableSpecKeys: readonly string[] = ['suspend', 'cancel', 'retryFailed', 'deadline', 'ttlAfterFinished'];

/** Keys of spec that never change; the admission policy is made from this list. */
export const frozenSpecKeys: readonly string[] = [
  ...Object.keys(elementSchema.shape).filter((key) => !Object.hasOwn(stepFields, key)),
  ...Object.keys(runFields),
].filter((key) => !mutableSpecKeys.includes(key));

/** A Workflow's spec. Only `parseWorkflowSpec` makes one: the API server checks no deeper than two levels. */
export interface WorkflowSpec extends Omit<Element, 'name' | 'when' | 'onFailure'>, z.output<typeof runSchema> {}

/** A Workflow as the API server serves it: its spec is not to be trusted until `parseWorkflowSpec` has read it. */
export interface Workflow {
  readonly apiVersion: typeof apiVersion;
  readonly kind: 'Workflow';
  readonly metadata: ObjectMetadata;
  readonly spec: unknown;
  readonly status?: WorkflowStatus;
}
