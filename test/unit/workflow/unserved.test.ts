import { describe, expect, test } from 'vitest';
import { statusOf } from '#core/workflow/status.ts';
import { aRunView, type Became } from '../../support/run-view.ts';

const identity = { uid: 'aaaaaaaa-bbbb-4000-8000-000000000000', run48: 'aaaaaaaabbbb', round: 0, roundsAt: [] };
const context = { generation: 1, nowMs: 60_000, timeText: String, showResult: true };
const ok: Became = { state: 'Succeeded', kept: '1' };
const queued: Became = { state: 'Published' };

interface Case {
  readonly why: string;
  readonly spec: object;
  readonly became: Readonly<Record<string, readonly Became[]>>;
  readonly suspended?: boolean;
  /** Slots whose queue nobody serves. Default: all. */
  readonly unserved?: readonly number[];
  readonly says: string;
  readonly shows: string | undefined;
}

const wait = 'waiting for a worker: no WorkerPool serves TaskQueue gpu (a Celery worker may)';

describe('a run with a queue that nobody serves', () => {
  test.each<Case>([
    {
      why: 'says that it waits for a worker',
      spec: { chain: [{ task: 'a' }, { task: 'b' }] },
      became: { a: [ok], b: [queued] },
      says: `1 of 2 tasks done; ${wait}`,
      shows: 'gpu',
    },
    {
      why: 'says so of a map with a member that waits',
      spec: { map: { task: 'm', range: 3 } },
      became: { m: [ok, { state: 'Running', member: 1 }, { ...queued, member: 2 }] },
      unserved: [4],
      says: `1 of 3 tasks done; ${wait}`,
      shows: 'gpu',
    },
    {
      why: 'says so of a handler',
      spec: { chain: [{ task: 'a' }], finally: [{ task: 'f' }] },
      became: { a: [ok], f: [queued] },
      says: `1 of 1 tasks succeeded; waiting for spec.finally[0]: task f, Queued; ${wait}`,
      shows: 'gpu',
    },
    {
      why: 'says nothing of it while its tasks there run',
      spec: { group: [{ task: 'a' }, { task: 'b' }] },
      became: { a: [{ state: 'Running' }], b: [ok] },
      says: '1 of 2 tasks done',
      shows: undefined,
    },
    {
      why: 'says nothing of it where what waits is elsewhere',
      spec: { group: [{ task: 'a' }, { task: 'b' }] },
      became: { a: [{ state: 'Running' }], b: [queued] },
      unserved: [1],
      says: '0 of 2 tasks done',
      shows: undefined,
    },
    {
      why: 'says nothing of it while it is suspended',
      spec: { chain: [{ task: 'a' }, { task: 'b' }] },
      became: { a: [queued] },
      suspended: true,
      says: '0 of 2 tasks done; spec.suspend is true',
      shows: undefined,
    },
  ])('$why', ({ spec, became, suspended = false, unserved, says, shows }) => {
    const view = aRunView(spec, became);
    const unservedQueueOf = (slot: number): string | undefined =>
      unserved === undefined || unserved.includes(slot) ? 'gpu' : undefined;
    const report = { identity, view, rev: 1, begunAtMs: 0, suspended, reports: new Map<number, never>() };
    const status = statusOf({ ...report, unservedQueueOf }, context);
    expect(status.conditions?.[0]?.message).toBe(says);
    expect(status.unservedQueue).toBe(shows);
  });
});
