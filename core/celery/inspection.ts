import type { ControlRequest } from './control-message.ts';

/** What a worker can be asked about what it holds, by Celery's names (celery/worker/control.py, 5.2 to 5.7). */
export type InspectMethod = 'active' | 'query_task' | 'scheduled' | 'stats';

/** One question to every worker; `reply` says where its answer is awaited. */
export function inspectRequest(
  method: InspectMethod,
  ids: ReadonlySet<string>,
  reply: NonNullable<ControlRequest['reply']>,
): ControlRequest {
  return { method, arguments: argumentsOf(method, ids), destination: undefined, pattern: undefined, reply };
}

function argumentsOf(method: InspectMethod, ids: ReadonlySet<string>): Readonly<Record<string, unknown>> {
  // `safe`: arguments as the first 1,024 characters of their repr, and not as they are.
  if (method === 'active') return { safe: true };
  return method === 'query_task' ? { ids: [...ids] } : {};
}

/**
 * Ids of the tasks that an answer names; of `stats` none. Undefined when it is no answer: the worker failed at it. Who
 * does not know the question, as `celery beat` does, holds nothing.
 */
export function idsHeld(method: InspectMethod, answer: unknown): readonly string[] | undefined {
  if (answer === null || typeof answer !== 'object') return undefined;
  if ('error' in answer && typeof answer.error === 'string') return isUnknown(method, answer.error) ? [] : undefined;
  if (method === 'stats') return [];
  if (method === 'query_task') return Object.keys(answer);
  if (!Array.isArray(answer)) return undefined;
  return (answer as unknown[]).flatMap((each) => idOf(method === 'scheduled' ? field(each, 'request') : each) ?? []);
}

/** How long the process of the worker has lived, as its `stats` say; undefined where they do not. */
export function uptimeMsOf(stats: unknown): number | undefined {
  const seconds = field(stats, 'uptime');
  return typeof seconds === 'number' && seconds >= 0 ? seconds * 1_000 : undefined;
}

/** In the words of Celery, and of our own worker. */
function isUnknown(method: InspectMethod, error: string): boolean {
  return error === `KeyError('${method}')` || error === unknownMethod(method);
}

/** What our worker answers to what it does not know. */
export function unknownMethod(method: string): string {
  return `this worker does not know ${method}`;
}

function idOf(info: unknown): string | undefined {
  const id = field(info, 'id');
  return typeof id === 'string' ? id : undefined;
}

function field(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
