import { z } from 'zod';
import { limits } from '#core/base/limits.ts';
import { taskName } from './leaf.ts';
import { itemTaskFields } from './task-fields.ts';

const integer = () =>
  z
    .int('must be an integer')
    .min(-(2 ** 53) + 1)
    .max(2 ** 53 - 1);

/** Integers from `start` up to, not including, `stop`, as Python's range. `start` is 0 and `step` 1 when absent. */
export interface MapRange {
  readonly start?: number;
  readonly stop: number;
  readonly step?: number;
}

/** A bare number is the stop. */
export const rangeSchema = z.union([
  integer(),
  z.strictObject({ start: integer().exactOptional(), stop: integer(), step: integer().exactOptional() }),
]);

const anyJson = () => z.unknown().meta({ 'x-kubernetes-preserve-unknown-fields': true });

/** The fields of a map that hold no element. */
export const mapLeaves = {
  task: taskName()
    .exactOptional()
    .describe('The task to call for every item, with its own fields beside it: the item comes first, then args.'),
  ...itemTaskFields,
  args: itemTaskFields.args.describe('Positional arguments after the item: any JSON.'),
  over: z
    .array(anyJson(), 'must be a list')
    .max(limits.mapItems, `has more than ${limits.mapItems} entries; let a task return the list instead`)
    .exactOptional()
    .describe('The items, any JSON. Without over and range the items are the result of the step before, a list.'),
  range: z
    .unknown()
    .meta({ 'x-kubernetes-preserve-unknown-fields': true })
    .exactOptional()
    .describe('Integers as items: {start, stop, step} as in Python, start 0 and step 1 unless given; or stop alone.'),
  unpack: z
    .boolean('must be true or false')
    .exactOptional()
    .describe("When true every item is a list, and its entries are the arguments: Celery's starmap."),
  chunk: z
    .int('must be an integer')
    .min(1, 'must be 1 or more')
    .max(limits.mapItems, `may be ${limits.mapItems} at most`)
    .exactOptional()
    .describe(
      'Send so many items with one message, which one worker runs in turn; with task only, without args, kwargs.',
    ),
} as const;
