import { z } from 'zod';
import { objectName, taskName } from './leaf.ts';

/** Any JSON at all; what it means is between the workflow's author and his task. Numbers keep their text. */
const anyJson = () => z.unknown().meta({ 'x-kubernetes-preserve-unknown-fields': true });

const maxArguments = 1000;

/** A list of any JSON, taken as it is, without a copy. */
const argsSchema = z
  .array(anyJson(), 'must be a list')
  .max(maxArguments, `has more than ${maxArguments} entries; pass them as one list within the list`)
  .describe('Positional arguments: any JSON. The result of the step before comes first, unless immutable is true.');

const kwargsSchema = z
  .record(z.string().max(255, 'has a name of more than 255 characters'), anyJson(), 'must be an object')
  .describe('Named arguments: any JSON for each.');

/** A call described but not made, as Celery's signature. No defaults: these keys are frozen once a Workflow exists. */
export const signatureFields = {
  args: argsSchema.exactOptional(),
  kwargs: kwargsSchema.exactOptional(),
  immutable: z
    .boolean('must be true or false')
    .exactOptional()
    .describe("When true the task gets only its own arguments, not the result of the step before: Celery's .si()."),
  queue: objectName()
    .exactOptional()
    .describe(
      'TaskQueue of this namespace to send the task to. Without it the routes of the TaskQueues decide, then defaultQueue.',
    ),
} as const;

/** A task on its own, as handlers and `finally` take it. */
export const signatureSchema = z.strictObject({
  task: taskName().describe("The task's name, exactly as the workers registered it."),
  ...signatureFields,
});

export type Signature = z.output<typeof signatureSchema>;
