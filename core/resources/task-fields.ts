import { z } from 'zod';
import { instant, objectName, positiveSpan, span, spanOrInstant } from './leaf.ts';
import { retrySchema } from './retry.ts';

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

/** How a call is made and bounded. */
const executionFields = {
  queue: objectName()
    .exactOptional()
    .describe(
      'TaskQueue of this namespace to send the task to. Without it the routes of the TaskQueues decide, then defaultQueue.',
    ),
  priority: z
    .int('must be an integer')
    .min(0, 'must be 0 or more')
    .max(9, 'may be 9 at most')
    .exactOptional()
    .describe('9 is the most urgent, 0 the least, on every broker. When absent, as Celery sends a task without one.'),
  countdown: span()
    .exactOptional()
    .describe('Run the task so long after it became due, 90s say. The operator keeps the time, not a worker.'),
  eta: instant().exactOptional().describe('Run the task not before this moment, such as 2027-01-31T08:00:00Z.'),
  expires: spanOrInstant()
    .exactOptional()
    .describe('The task fails with Expired if no worker began it by then: so long after it became due, or a moment.'),
  retry: retrySchema
    .exactOptional()
    .describe('Run the task again when it failed. When absent, it is run again only if it was lost with its worker.'),
  timeLimit: positiveSpan()
    .exactOptional()
    .describe("The longest an attempt may run: the worker then kills it. Celery's time_limit."),
  softTimeLimit: positiveSpan()
    .exactOptional()
    .describe("When an attempt is told to come to an end by itself; below timeLimit. Celery's soft_time_limit."),
  waitLimit: positiveSpan()
    .exactOptional()
    .describe('The longest an attempt may wait for a worker once it is due; then it fails with WaitLimitExceeded.'),
} as const;

/** The fields of a task that a map calls for every item. */
export const itemTaskFields = {
  args: argsSchema.exactOptional(),
  kwargs: kwargsSchema.exactOptional(),
  ...executionFields,
} as const;

/** The fields that go with `task`, wherever else one stands. No defaults: these keys are frozen once a Workflow exists. */
export const taskFields = {
  args: argsSchema.exactOptional(),
  kwargs: kwargsSchema.exactOptional(),
  immutable: z
    .boolean('must be true or false')
    .exactOptional()
    .describe("When true the task gets only its own arguments, not the result of the step before: Celery's .si()."),
  ...executionFields,
} as const;
