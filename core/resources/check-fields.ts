import type { z } from 'zod';
import { parseDurationMs } from '#core/base/duration.ts';
import { isRawNumber } from '#core/base/json-text.ts';
import { elementLeaves } from './element.ts';
import { mapLeaves } from './map.ts';
import { findNamedResults, nameOfResult, namedResultKey } from './named-result.ts';
import { retryDefaults, retrySchema } from './retry.ts';
import { refuse, unknownField, type Fields, type Walk } from './spec-walk.ts';
import type { Spot } from './spot.ts';
import { taskFields } from './task-fields.ts';
import { runFields } from './workflow.ts';

/** Schemas of the fields that hold no elements, by name: what has the same name is the same thing everywhere. */
const leaves: Readonly<Record<string, z.ZodType>> = { ...mapLeaves, ...runFields, ...elementLeaves };

/** What goes with `task`, wherever one stands. */
export const taskFieldNames: readonly string[] = Object.keys(taskFields);

export interface At {
  readonly walk: Walk;
  readonly spot: Spot;
}

/** Checks the fields of these names against their schemas; those that are absent are as they should be. */
export function checkLeaves(fields: Fields, path: string, { walk, keys }: Keys): void {
  for (const key of keys) if (fields[key] !== undefined) checkLeaf(key, fields[key], { path, walk });
}

interface Keys {
  readonly walk: Walk;
  readonly keys: readonly string[];
}

/** Checks `task` and all that goes with it. */
export function checkTask(fields: Fields, path: string, { walk, spot }: At): void {
  checkLeaves(fields, path, { walk, keys: ['task', ...taskFieldNames] });
  checkTimes(fields, path, walk);
  const { kwargs } = fields;
  if (typeof kwargs === 'object' && kwargs !== null && Object.hasOwn(kwargs, namedResultKey))
    refuse(walk, `${path}.kwargs`, 'is {"$result": …} as a whole; only the values of named arguments may be');
  for (const key of ['args', 'kwargs']) gatherResults(fields[key], `${path}.${key}`, { walk, spot });
}

function checkLeaf(key: string, value: unknown, { path, walk }: { readonly path: string; readonly walk: Walk }): void {
  const [issue] = leaves[key]?.safeParse(plain(value)).error?.issues ?? [];
  if (issue === undefined) return;
  // Keys within arguments are payload, which no message repeats.
  const within = key === 'kwargs' ? [] : issue.path;
  const inner = within.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  if (issue.code !== 'unrecognized_keys') {
    refuse(walk, `${path}.${key}${inner}`, issue.message);
    return;
  }
  const [unknown = ''] = issue.keys;
  refuse(walk, `${path}.${key}.${unknown.slice(0, 64)}`, unknownField(unknown, Object.keys(retrySchema.shape)));
}

/** A number that kept its text is an object to the schemas; where its text matters, it is no plain integer. */
function plain(value: unknown): unknown {
  return isRawNumber(value) ? Number.NaN : value;
}

/** What two fields together may not say. */
function checkTimes(fields: Fields, path: string, walk: Walk): void {
  const { countdown, eta, timeLimit, softTimeLimit, retry } = fields;
  if (countdown !== undefined && eta !== undefined)
    refuse(walk, path, 'has countdown and eta side by side; give one of them');
  const [hardMs, softMs] = [msOf(timeLimit), msOf(softTimeLimit)];
  if (hardMs !== undefined && softMs !== undefined && softMs >= hardMs)
    refuse(walk, `${path}.softTimeLimit`, 'is not below timeLimit; the task would be killed before it is told to end');
  checkBackoff((retry ?? {}) as Fields, `${path}.retry.backoff`, walk);
}

function checkBackoff({ backoff, maxBackoff }: Fields, path: string, walk: Walk): void {
  const mostMs = maxBackoff === undefined ? retryDefaults.maxBackoffMs : msOf(maxBackoff);
  if ((msOf(backoff) ?? 0) > (mostMs ?? Infinity))
    refuse(walk, path, 'is above maxBackoff, which is 10m when absent; raise maxBackoff as well');
}

/** Undefined for what is no duration: its own schema says so. */
function msOf(text: unknown): number | undefined {
  return typeof text === 'string' ? parseDurationMs(text) : undefined;
}

/** Notes the steps whose results the arguments ask for. */
function gatherResults(value: unknown, path: string, { walk, spot }: At): void {
  for (const holder of findNamedResults(value)) {
    const name = nameOfResult(holder);
    if (name === undefined)
      refuse(walk, path, 'holds {"$result": …} with something else than the name of a step, or beside another key');
    else walk.references.push({ name, path, spot });
  }
}
