import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { decodeTaskId } from '#core/base/task-id.ts';
import type { RunSettings } from '#operator/runs/run-settings.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { addressed } from '../support/celery-canvas/canvas.ts';
import { celeryOfSuite, celeryReleases } from '../support/celery-of-suite.ts';
import type { CeleryWorkflows, RunningWorkflow } from '../support/celery-workflows.ts';
import { redisOfFile } from '../support/redis-of-file.ts';
import { task } from './celery-semantic-rows.ts';

const app = join(REPOSITORY, 'test', 'integration', 'celery', 'semantics.py');

/** What `told_all` notes of what it was told. */
interface Told {
  readonly at: string;
  readonly id: string;
  readonly args: readonly unknown[];
  readonly context: string;
  readonly task: string;
  readonly taskArgs: readonly unknown[];
  readonly taskKwargs: object;
  readonly isException: boolean;
  readonly cause: string;
  readonly traceback: unknown;
}

interface Row {
  readonly why: string;
  /** Its errback is `told`. */
  readonly spec: object;
  /** Changed while it runs: at once, when a task has been called, or when a message is in this queue of the row's own. */
  readonly then?: Partial<RunSettings>;
  readonly once?: 'Begun' | 'Called' | { readonly sentTo: string };
  /** `request.task`, `.args` and `.kwargs`, of each errback that is called. */
  readonly told: readonly Pick<Told, 'task' | 'taskArgs' | 'taskKwargs'>[];
  /** What the representation of the exception holds. */
  readonly cause: string;
  /** The attempt that `request.id` names, and the member of a map. Default: 0. */
  readonly attempt?: number;
  readonly members?: readonly number[];
}

const linkError = [{ ...task('told_all', 't9'), args: ['own'] }];
const toldOf = (name: string, taskArgs: readonly unknown[], taskKwargs = {}) => ({ task: name, taskArgs, taskKwargs });

const rows: readonly Row[] = [
  {
    why: 'a task that raised',
    spec: { chain: [task('succeed', 't0'), { ...task('fail', 't1'), args: [1.5, { x: null }] }], linkError },
    told: [toldOf('fail', ['t0', 1.5, { x: null }])],
    cause: "ValueError('t1')",
  },
  {
    why: 'the last try of a task whose retries are used up',
    spec: {
      ...task('fails_until', 't0', { failures: 9 }),
      args: [1],
      retry: { maxRetries: 2, backoff: '10ms' },
      linkError,
    },
    told: [toldOf('fails_until', [1], { failures: 9 })],
    cause: "ValueError('not yet')",
    attempt: 2,
  },
  {
    why: 'a task that was lost with its process and may not run twice',
    spec: { ...task('killed', 't0', { deaths: 9 }), args: [1], retry: { onLost: 'Fail' }, linkError },
    told: [toldOf('killed', [1], { deaths: 9 })],
    cause: 'WorkerLostError(',
  },
  {
    why: 'the last try of a task that was lost again and again',
    spec: { ...task('killed', 't0', { deaths: 9 }), args: [1], linkError },
    told: [toldOf('killed', [1], { deaths: 9 })],
    cause: 'WorkerLostError(',
    attempt: 3,
  },
  {
    why: 'the first member of a map that failed',
    spec: { map: { task: 'fail', kwargs: { at: 't0' }, args: ['own'], over: [[1], 2] }, linkError },
    told: [toldOf('fail', [[1], 'own'])],
    cause: "ValueError('t0')",
    members: [0],
  },
  {
    why: 'each member of a map, with an errback of its own',
    spec: { map: { each: { chain: [task('succeed', 't0'), { ...task('fail', 't1'), linkError }] }, over: [1, 2] } },
    told: [toldOf('fail', ['t0']), toldOf('fail', ['t0'])],
    cause: "ValueError('t1')",
    members: [0, 1],
  },
  {
    why: 'a task that was cancelled while it ran',
    spec: { ...task('sleeps', 't0', { seconds: 60 }), args: [1], linkError },
    then: { cancel: true },
    once: 'Called',
    told: [toldOf('sleeps', [1], { seconds: 60 })],
    cause: 'TaskRevokedError(',
  },
  {
    why: 'a task that was cancelled while it waited in its queue',
    spec: { chain: [{ ...task('succeed', 't0'), args: [1], queue: 'waiting-room' }, task('succeed', 't1')], linkError },
    then: { cancel: true },
    once: { sentTo: 'waiting-room' },
    told: [toldOf('succeed', [1])],
    cause: 'Cancelled(',
  },
  {
    why: 'a task that was cancelled before its countdown was over',
    spec: { chain: [{ ...task('succeed', 't0'), args: [1], countdown: '1h' }, task('succeed', 't1')], linkError },
    then: { cancel: true },
    told: [toldOf('succeed', [1])],
    cause: 'TaskRevokedError(',
  },
  {
    why: 'a task that the deadline of the run ended',
    spec: { chain: [{ ...task('succeed', 't0'), args: [1], queue: 'no-time' }, task('succeed', 't1')], linkError },
    then: { deadlineMs: 1 },
    once: { sentTo: 'no-time' },
    told: [toldOf('succeed', [1])],
    cause: 'Cancelled(',
  },
  {
    why: 'a task that waited longer than its waitLimit',
    spec: { chain: [{ ...task('succeed', 't0'), args: [1], queue: 'nobody', waitLimit: '200ms' }], linkError },
    told: [toldOf('succeed', [1])],
    cause: 'WaitLimitExceeded(',
  },
  {
    why: 'a task that ran longer than its timeLimit',
    spec: { ...task('sleeps', 't0', { seconds: 60 }), args: [1], timeLimit: '1s', linkError },
    told: [toldOf('sleeps', [1], { seconds: 60 })],
    cause: 'TimeLimitExceeded(1',
  },
];

const redis = redisOfFile();

describe.each(celeryReleases)('an errback inside an unmodified Celery %s worker', (release) => {
  const workflows = celeryOfSuite(redis, release, app);

  describe.concurrent('gets a real request, whose id, task, args and kwargs it may ask, of', () => {
    test.each(rows)('$why', async (row) => {
      const run = `errback-${rows.indexOf(row)}`;
      const running = await workflows().start(addressed(row.spec, run));
      await change(workflows(), running, row, run);
      await running.ended;
      const told = (await workflows().callsOf<Told>(run)).filter(({ at }) => at === 't9');
      expect(told.map(({ task: name, taskArgs, taskKwargs }) => toldOf(name, taskArgs, taskKwargs))).toEqual(row.told);
      for (const each of told) {
        expect(each).toMatchObject({ context: 'Context', args: ['own'], isException: true, traceback: null });
        expect(each.cause).toContain(row.cause);
      }
      const ids = told.map(({ id }) => decodeTaskId(id)!);
      expect(ids.map(({ attempt }) => attempt)).toEqual(row.told.map(() => row.attempt ?? 0));
      expect(ids.map(({ member }) => member).sort()).toEqual(row.members ?? [0]);
      // The documented way to learn more of a failure is AsyncResult(request.id).
      for (const { id } of told) {
        const meta = JSON.parse((await workflows().redis.get(`celery-task-meta-${id}`)) ?? '{}') as { status?: string };
        expect(['FAILURE', 'REVOKED']).toContain(meta.status);
      }
    });
  });
});

async function change(workflows: CeleryWorkflows, running: RunningWorkflow, row: Row, run: string): Promise<void> {
  if (row.then === undefined) return;
  const { redis: client } = workflows;
  const { once = 'Begun' } = row;
  const isSoFar = async (): Promise<boolean> => {
    if (once === 'Begun') return true;
    return once === 'Called' ? (await workflows.callsOf(run)).length > 0 : (await client.llen(once.sentTo)) > 0;
  };
  await vi.waitFor(async () => expect(await isSoFar()).toBe(true), { timeout: 90_000 });
  running.configure(row.then);
}
