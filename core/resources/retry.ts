import { z } from 'zod';
import { objectName, positiveSpan, span } from './leaf.ts';

const exceptionName = () =>
  z
    .string('must be text')
    .max(255, 'is longer than 255 characters')
    .regex(/^[A-Za-z_][A-Za-z0-9_.]*$/, 'is no name of an exception: letters, digits, _ and . only');

/** What `retry` means where it says nothing: applied by the plan, never written into a stored spec. */
export const retryDefaults = {
  maxRetries: 3,
  backoffMs: 1_000,
  maxBackoffMs: 600_000,
  jitter: true,
  onLost: 'Retry',
} as const;

/** What happens when a task failed. Without `default` of a schema: see `retryDefaults`. */
export const retrySchema = z.strictObject(
  {
    maxRetries: z
      .int('must be an integer')
      .min(0, 'must be 0 or more')
      .max(1000, 'may be 1000 at most')
      .exactOptional()
      .describe('Attempts after the first one; 3 when absent. Attempts lost with their worker are counted apart.'),
    backoff: span()
      .exactOptional()
      .describe('The wait before the first retry, doubled for each further one; 1s when absent.'),
    maxBackoff: positiveSpan().exactOptional().describe('The longest wait between two attempts; 10m when absent.'),
    jitter: z
      .boolean('must be true or false')
      .exactOptional()
      .describe(
        'Whether each wait is shortened at random, by half at most, so that many retries do not meet; true when absent.',
      ),
    // Not `on`: to YAML 1.1, which kubectl reads, that is the word true.
    for: z
      .array(exceptionName(), 'must be a list of names')
      .min(1, 'is empty; leave it out to retry after every exception')
      .max(64, 'has more than 64 entries')
      .exactOptional()
      .describe(
        'Exceptions to retry after, by the name of their class: Timeout, or requests.exceptions.Timeout with its module. Every one when absent.',
      ),
    escalateTo: objectName()
      .exactOptional()
      .describe('TaskQueue of this namespace for the retries: one whose workers have more memory, say.'),
    onLost: z
      .enum(['Retry', 'Fail'], 'must be Retry or Fail')
      .exactOptional()
      .describe(
        'What to do when the task was lost with its worker: run it again, at most 3 times, or Fail for what must not run twice. Retry when absent.',
      ),
  },
  'must be an object',
);

export type RetryPolicy = z.output<typeof retrySchema>;
