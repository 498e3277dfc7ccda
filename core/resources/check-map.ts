import { isRawNumber } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { checkLeaves, checkTask, taskFieldNames, type At } from './check-fields.ts';
import { refuseStepFields } from './check-step.ts';
import { mapLeaves, rangeSchema } from './map.ts';
import { findNamedResults } from './named-result.ts';
import { checkKeys, refuse, type Fields, type Walk } from './spec-walk.ts';

const mapKeys = [...Object.keys(mapLeaves), 'each'];
const itemFieldNames = taskFieldNames.filter((key) => key !== 'immutable');
const excludedByChunk = ['args', 'kwargs'] as const;

/** Checks a map but for its `each`; the count of its items where that is written, undefined where it shows when it runs. */
export function checkMap(fields: Fields, path: string, at: At): number | undefined {
  const { walk } = at;
  const { immutable, ...known } = refuseStepFields(fields, path, walk);
  if (immutable !== undefined)
    refuse(
      walk,
      `${path}.immutable`,
      'would take from the task the very item; remove it, or use range to repeat a task',
    );
  checkKeys(known, path, { walk, keys: mapKeys });
  checkLeaves(fields, path, { walk, keys: ['over', 'unpack', 'chunk'] });
  checkWhat(fields, path, at);
  return countItems(fields, path, walk);
}

/** Exactly one of `task` and `each`, and what goes with which. */
function checkWhat(fields: Fields, path: string, at: At): void {
  const { walk } = at;
  const { task, each, chunk } = fields;
  if ((task === undefined) === (each === undefined))
    refuse(walk, path, 'must have exactly one of task, and each, which is an element');
  if (task !== undefined) checkTask(fields, path, at);
  else
    for (const key of ['chunk', ...itemFieldNames])
      if (fields[key] !== undefined)
        refuse(walk, `${path}.${key}`, 'goes with task only; give it to the tasks of each');
  if (task === undefined || chunk === undefined) return;
  for (const key of excludedByChunk)
    if (fields[key] !== undefined)
      refuse(
        walk,
        `${path}.${key}`,
        'cannot go with chunk: Celery then calls the task with the item alone; remove either',
      );
}

function countItems({ over, range, chunk, unpack }: Fields, path: string, walk: Walk): number | undefined {
  if (over !== undefined && range !== undefined)
    refuse(walk, path, 'has over and range side by side; give one of them');
  if (range !== undefined && unpack === true)
    refuse(walk, `${path}.unpack`, 'cannot go with range: an integer is no list of arguments; remove it');
  if (Array.isArray(over)) checkItems(over, path, { walk, unpack });
  const items = Array.isArray(over) ? over.length : countRange(range, `${path}.range`, walk);
  return items === undefined || typeof chunk !== 'number' || !(chunk >= 1) ? items : Math.ceil(items / chunk);
}

interface Items {
  readonly walk: Walk;
  readonly unpack: unknown;
}

function checkItems(over: readonly unknown[], path: string, { walk, unpack }: Items): void {
  const flat = unpack === true ? over.findIndex((item) => !Array.isArray(item)) : -1;
  if (flat !== -1) refuse(walk, `${path}.over[${flat}]`, 'is no list, and unpack makes arguments of lists');
  if (findNamedResults(over).length > 0)
    refuse(
      walk,
      `${path}.over`,
      'holds {"$result": …}, which stands in args and kwargs only; give it to the task there',
    );
}

function countRange(range: unknown, path: string, walk: Walk): number | undefined {
  if (range === undefined) return undefined;
  const parsed = rangeSchema.safeParse(isRawNumber(range) ? Number.NaN : range);
  if (!parsed.success) {
    refuse(walk, path, 'must be an integer, or start, stop and step as integers; only stop has to be there');
    return undefined;
  }
  const { start = 0, stop, step = 1 } = typeof parsed.data === 'number' ? { stop: parsed.data } : parsed.data;
  if (step === 0) {
    refuse(walk, `${path}.step`, 'is 0, with which no range ends; give another integer');
    return undefined;
  }
  const items = Math.max(0, Math.ceil((stop - start) / step));
  if (items > limits.mapItems)
    refuse(
      walk,
      path,
      `makes ${items} items; ${limits.mapItems} are allowed, so split it, or let each item stand for more`,
    );
  return Math.min(items, limits.mapItems);
}
