import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseJson } from '#core/base/json-text.ts';
import { decodeResultMeta } from '#core/celery/result-meta.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { runPython, startCeleryWorker, type CeleryWorker } from '../support/celery.ts';
import { CeleryWorkflows } from '../support/celery-workflows.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';

const app = join(REPOSITORY, 'test', 'integration', 'celery', 'values.py');

let redis: RunningRedis;
let worker: CeleryWorker;
let workflows: CeleryWorkflows;
let names: readonly string[];

beforeAll(async () => {
  redis = await startRedis();
  worker = await startCeleryWorker({ app, redisUrl: redis.url, queues: ['celery'], logLevel: 'WARNING' });
  workflows = await CeleryWorkflows.open(redis.url, 'celery');
  names = (await resultOf({ task: 'value_names' })) as readonly string[];
});

afterAll(async () => {
  workflows.close();
  await worker.stop();
  await redis.stop();
});

async function resultOf(spec: object): Promise<unknown> {
  const { state, result } = await workflows.run(spec);
  expect(state).toBe('Succeeded');
  return JSON.parse(result);
}

/** What Python says of each value, and of what a Workflow made of it on the way from `give` to `said`. */
async function saidOfAll(specFor: (name: string) => object): Promise<readonly (readonly [string, unknown, unknown])[]> {
  return Promise.all(
    names.map(async (name) => {
      const [own, passed] = await Promise.all([resultOf({ task: 'said_of', args: [name] }), resultOf(specFor(name))]);
      return [name, own, passed] as const;
    }),
  );
}

const give = (name: string) => ({ task: 'give', args: [name] });

describe('what a Python task returned comes to the next Python task as the same value', () => {
  test.each([
    {
      why: 'through a chain',
      spec: (name: string) => ({ chain: [give(name), { task: 'same' }, { task: 'same' }, { task: 'said' }] }),
      around: (own: string) => own,
    },
    {
      why: 'through chains and groups within each other',
      spec: (name: string) => ({ chain: [give(name), { group: [{ task: 'same' }] }, { task: 'said' }] }),
      around: (own: string) => `[${own}]`,
    },
    {
      why: 'through the list of a chord',
      spec: (name: string) => ({ chord: { header: [give(name), { chain: [give(name)] }], body: { task: 'said' } } }),
      around: (own: string) => `[${own}, ${own}]`,
    },
    {
      why: 'before arguments of its own',
      spec: (name: string) => ({ chain: [give(name), { task: 'said_args', args: [1.0], kwargs: { k: null } }] }),
      around: (own: string) => `[(${own}, 1), {'k': None}]`,
    },
    {
      why: 'as the result of a named step, deep within arguments',
      spec: (name: string) => ({
        chain: [
          { ...give(name), name: 'given' },
          { task: 'said_args', immutable: true, args: [[{ $result: 'given' }]], kwargs: { k: { $result: 'given' } } },
        ],
      }),
      around: (own: string) => `[([${own}],), {'k': ${own}}]`,
    },
    {
      why: 'as the items of a map',
      spec: (name: string) => ({
        chain: [{ group: [give(name), give(name)] }, { map: { task: 'said' } }, { task: 'same' }],
      }),
      around: (own: string) => [own, own],
    },
    {
      why: 'as the items of chunks of a map',
      spec: (name: string) => ({
        chain: [{ group: [give(name), give(name), give(name)] }, { map: { task: 'said', chunk: 2 } }, { task: 'same' }],
      }),
      around: (own: string) => [own, own, own],
    },
  ])('$why', async ({ spec, around }) => {
    const all = await saidOfAll(spec);
    expect(all.length).toBeGreaterThan(25);
    const expected = all.map(([name, own]) => [name, around(own as string)]);
    expect(all.map(([name, , passed]) => [name, passed])).toEqual(expected);
  });
});

describe('a result is stored for others to read', () => {
  test('with the text that the worker stored, character for character', async () => {
    const texts = await Promise.all(
      names.map(async (name) => {
        const { result, summary } = await workflows.run({ chain: [give(name)] });
        const own = decodeResultMeta(
          (await workflows.redis.get(`celery-task-meta-${summary.steps[0]!.taskId!}`)) ?? '',
        );
        return { name, result, own: own.ok ? own.value.resultText : undefined };
      }),
    );
    expect(texts.map(({ name, result }) => [name, result])).toEqual(texts.map(({ name, own }) => [name, own]));
  });

  test('and AsyncResult.get gives Python the value that the task returned', async () => {
    const ids = await Promise.all(
      names.map(async (name) => [name, (await workflows.run({ chain: [give(name)] })).resultId] as const),
    );
    const source = [
      'import json, sys, values',
      'for name, id in json.load(sys.stdin):',
      '    got, own = ascii(app.AsyncResult(id).get(timeout=60)), ascii(values.VALUES[name])',
      '    if got != own: print(name, got, "not", own)',
    ].join('\n');
    expect(await runPython({ app, redisUrl: redis.url, input: JSON.stringify(ids) }, source)).toBe('');
  });
});

/** Arguments as a spec's author writes them, and as Python sees them. */
test.each([
  { why: 'an integer beyond 2^53', text: '9007199254740993', said: '9007199254740993' },
  { why: 'the least integer of 64 bits', text: '-9223372036854775808', said: '-9223372036854775808' },
  { why: 'one as a float', text: '1.0', said: '1.0' },
  { why: 'one', text: '1', said: '1' },
  { why: 'a power of ten', text: '1e2', said: '100.0' },
  { why: 'what is too large for a float', text: '1e400', said: 'inf' },
  { why: 'a lone surrogate', text: '"\\ud83d"', said: "'\\ud83d'" },
  { why: 'unicode', text: '"größer 🎼"', said: "'gr\\xf6\\xdfer \\U0001f3bc'" },
  { why: "one of Celery's typed values", text: '{"__type__":"decimal","__value__":"1.10"}', said: "Decimal('1.10')" },
  { why: 'an object', text: '{"b":1,"a":null}', said: "{'b': 1, 'a': None}" },
  {
    why: 'a depth of 50',
    text: `${'['.repeat(50)}1.0${']'.repeat(50)}`,
    said: `${'['.repeat(50)}1.0${']'.repeat(50)}`,
  },
])('$why in a spec is the same to Python', async ({ text, said }) => {
  const spec = parseJson(`{"chain":[{"task":"said","args":[${text}]}]}`) as object;
  expect(await resultOf(spec)).toBe(said);
});
