import { z } from 'zod';
import type { apiVersion } from './api-group.ts';
import { elementSchema, type Element } from './element.ts';
import { objectName } from './leaf.ts';
import type { ObjectMetadata } from './object-metadata.ts';
import { signatureSchema, type Signature } from './signature.ts';
import type { WorkflowStatus } from './workflow-status.ts';

/** Fields of the run as a whole; a Workflow's spec is an element and a run. */
export const runFields = {
  finally: z
    .array(signatureSchema)
    .max(64)
    .exactOptional()
    .describe(
      'Tasks that run once at the very end, whatever happened; each is given {state, reason, failed} as its first argument, unless immutable is true.',
    ),
  defaultQueue: objectName()
    .exactOptional()
    .describe(
      'TaskQueue of this namespace for tasks that name no queue and that no route takes; the TaskQueue named default when absent.',
    ),
} as const;

/** Keys of spec that may change while the run lives. Every other key is frozen when the Workflow is created. */
export const mutableSpecKeys: readonly string[] = [];

/** Keys of spec that never change; the admission policy is made from this list. */
export const frozenSpecKeys: readonly string[] = [
  ...Object.keys(elementSchema.shape),
  ...Object.keys(runFields),
].filter((key) => !mutableSpecKeys.includes(key));

/** A Workflow's spec. Only `parseWorkflowSpec` makes one: the API server checks no deeper than two levels. */
export interface WorkflowSpec extends Element {
  readonly finally?: readonly Signature[];
  readonly defaultQueue?: string;
}

/** A Workflow as the API server serves it: its spec is not to be trusted until `parseWorkflowSpec` has read it. */
export interface Workflow {
  readonly apiVersion: typeof apiVersion;
  readonly kind: 'Workflow';
  readonly metadata: ObjectMetadata;
  readonly spec: unknown;
  readonly status?: WorkflowStatus;
}
