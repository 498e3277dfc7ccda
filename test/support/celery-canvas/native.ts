import type { Redis } from 'ioredis';
import { runPython, type CeleryOptions } from '../celery.ts';
import { addressed, tasksOf, type Canvas, type Json } from './canvas.ts';
import type { CanvasCall, CanvasOutcome, CanvasState } from './reference.ts';

/** A call as its task noted it. */
interface NotedCall extends CanvasCall {
  readonly id?: string;
}

/** A result as a Celery client holds it: of a task, or a list with an id of its own. */
type ResultTuple = readonly [readonly [string, ResultTuple | null], readonly ResultTuple[] | null];

interface Applied {
  readonly result?: ResultTuple;
  readonly refused?: string;
}

/** What native Celery made of a canvas. */
export interface NativeOutcome extends CanvasOutcome {
  /** What `apply_async` raised, instead of applying it. */
  readonly refused?: string;
}

/** Has a Python client build and apply every canvas, each under its run. */
export async function applyNatively(options: CeleryOptions, canvases: ReadonlyMap<string, Canvas>): Promise<void> {
  const trees = Object.fromEntries([...canvases].map(([run, canvas]) => [run, addressed(canvas, run)]));
  const source = 'import json, sys, recording\nrecording.apply_all(json.load(sys.stdin))';
  await runPython({ ...options, input: JSON.stringify(trees) }, source);
}

/** What is to be seen of it now. What has not ended yet is Pending. */
export async function nativeOutcome(redis: Redis, run: string, canvas: Canvas): Promise<NativeOutcome> {
  const { result, refused } = JSON.parse((await redis.get(`test:applied:${run}`)) ?? '{}') as Applied;
  const noted = await callsOf(redis, run);
  const states = await statesOf(redis, canvas, noted);
  const calls = noted.map(({ id: _id, ...call }) => call);
  const ended = result === undefined ? ({ state: 'Pending', value: null } as const) : await endOf(redis, result);
  return { ...ended, calls, states, ...(refused === undefined ? {} : { refused }) };
}

/** Every call that the tasks of a run noted. */
export async function callsOf(redis: Redis, run: string): Promise<readonly NotedCall[]> {
  return (await redis.lrange(`test:calls:${run}`, 0, -1)).map((text) => JSON.parse(text) as NotedCall);
}

/** As `GroupResult.get` and `AsyncResult.get` would: lists of lists where results are lists of results. */
async function endOf(
  redis: Redis,
  [[id], members]: ResultTuple,
): Promise<{ readonly state: CanvasState; readonly value: Json }> {
  if (members === null) {
    const [state, value] = await metaOf(redis, id);
    return { state, value };
  }
  const inner = await Promise.all(members.map((member) => endOf(redis, member)));
  const states = inner.map(({ state }) => state);
  if (states.includes('Failed')) return { state: 'Failed', value: null };
  if (states.includes('Pending')) return { state: 'Pending', value: null };
  return { state: 'Succeeded', value: inner.map(({ value }) => value) };
}

async function statesOf(redis: Redis, canvas: Canvas, calls: readonly NotedCall[]): Promise<Map<string, CanvasState>> {
  const states = new Map<string, CanvasState>(tasksOf(canvas).map(({ kwargs }) => [kwargs.at, 'Skipped']));
  for (const { at, id } of calls) {
    // An errback that is called inside the worker leaves no result of its own.
    states.set(at, id === undefined ? 'Succeeded' : (await metaOf(redis, id))[0]);
  }
  return states;
}

async function metaOf(redis: Redis, id: string): Promise<readonly [CanvasState, Json]> {
  const text = await redis.get(`celery-task-meta-${id}`);
  const { status, result } = JSON.parse(text ?? '{}') as { status?: string; result?: Json };
  if (status === 'SUCCESS') return ['Succeeded', result ?? null];
  return [status === 'FAILURE' || status === 'REVOKED' ? 'Failed' : 'Pending', null];
}
