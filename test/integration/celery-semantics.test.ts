import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { REPOSITORY } from '../cluster/folders.ts';
import { runPython } from '../support/celery.ts';
import { addressed } from '../support/celery-canvas/canvas.ts';
import { canvasOf } from '../support/celery-canvas/notation.ts';
import { celeryOfSuite, celeryReleases } from '../support/celery-of-suite.ts';
import { redisOfFile } from '../support/redis-of-file.ts';
import { failureRows } from './celery-failure-rows.ts';
import { rows, task } from './celery-semantic-rows.ts';

const app = join(REPOSITORY, 'test', 'integration', 'celery', 'semantics.py');

const redis = redisOfFile();

describe.each(celeryReleases)('over an unmodified Celery %s worker', (release) => {
  const workflows = celeryOfSuite(redis, release, app);
  let runs = 0;

  function nextRun(): string {
    return `${release}-${(runs += 1)}`;
  }

  const callsOf = (run: string): Promise<readonly Noted[]> => workflows().callsOf<Noted>(run);

  /** Waits for so many calls: an errback that Celery sends as a message may run after the run has ended. */
  function callsSoon(run: string, count: number): Promise<readonly Noted[]> {
    return vi.waitFor(
      async () => {
        const calls = await callsOf(run);
        expect(calls.map(shownCall).length).toBeGreaterThanOrEqual(count);
        return calls;
      },
      { timeout: 90_000, interval: 50 },
    );
  }

  describe.concurrent('as a row of its own', () => {
    test.each([...rows, ...failureRows(release)])(
      '$row',
      async ({ spec, result, failure, calls, states = {}, attempt }) => {
        const run = nextRun();
        const ended = await workflows().run(addressed(spec, run));
        expect((await callsSoon(run, calls.length)).map(shownCall).sort()).toEqual([...calls].sort());
        const value = JSON.parse(ended.result) as { exc_type?: string };
        if (failure === undefined) expect([ended.state, value]).toEqual(['Succeeded', result]);
        else expect([ended.state, value.exc_type]).toEqual(['Failed', failure]);
        const found = ended.plan.steps.map(({ path, index }) => [path, ended.states[index]]);
        expect(Object.fromEntries(found)).toMatchObject(states);
        expect(ended.summary.steps[0]?.attempt).toBe(attempt);
      },
    );

    test('4.2, 4.5 a step knows the task before it as its parent, and the run as its root; so does a callback', async () => {
      const run = nextRun();
      const spec = { chain: [task('lineage', 't0'), { ...task('lineage', 't1'), link: [task('lineage', 't2')] }] };
      const { resultId } = await workflows().run(addressed(spec, run));
      const [t0, t1, t2] = await callsOf(run);
      expect([t0!.parent, t1!.parent, t2!.parent]).toEqual([null, t0!.id, t1!.id]);
      expect(new Set([t0!.root, t1!.root, t2!.root])).toEqual(new Set([resultId]));
    });

    test('4.3 each member of a group knows the run as its root, where Celery makes it a root of its own', async () => {
      const run = nextRun();
      const { resultId } = await workflows().run(
        addressed({ group: [task('lineage', 't0'), task('lineage', 't1')] }, run),
      );
      expect((await callsOf(run)).map(({ root, parent }) => [root, parent])).toEqual([
        [resultId, null],
        [resultId, null],
      ]);
    });

    test('4.5 a callback has the priority that it is given, not that of its task', async () => {
      const run = nextRun();
      const link = [task('lineage', 't1'), { ...task('lineage', 't2'), priority: 7 }];
      await workflows().run(addressed({ ...task('lineage', 't0'), priority: 2, link }, run));
      const priorities = (await callsOf(run)).map(({ at, priority }) => [at, priority]);
      expect(Object.fromEntries(priorities)).toEqual({ t0: 7, t1: 0, t2: 2 });
    });

    test.each([
      ['countdown', () => '12s'],
      ['eta', () => new Date(Date.now() + 12_000).toISOString()],
    ])('4.4 a %s on a header delays the header, and the body follows it at once', async (field, due) => {
      const run = nextRun();
      const began = Date.now() / 1000;
      const header = [task('lineage', 't0'), { ...task('lineage', 't1'), [field]: due() }];
      await workflows().run(addressed({ chord: { header, body: task('lineage', 't2') } }, run));
      const [t0, t1, t2] = (await callsOf(run)).map(({ at, time }) => ({ at, after: time! - began }));
      expect([t0!.at, t1!.at, t2!.at]).toEqual(['t0', 't1', 't2']);
      expect(t1!.after).toBeGreaterThan(11.9);
      // Were it counted for the body as well, so long would lie between them; one sweep may.
      expect(t2!.after - t1!.after).toBeLessThan(11.9);
    });

    test.each(['told_by_id', 'told_bound'])(
      '4.6 an errback of one argument, %s, is sent the failed id',
      async (name) => {
        const run = nextRun();
        const { summary } = await workflows().run(
          addressed({ ...canvasOf('t0✗'), linkError: [task(name, 't1')] }, run),
        );
        const [, told] = await callsSoon(run, 2);
        expect(told).toMatchObject({ at: 't1', failed_id: summary.failures[0]!.taskId });
      },
    );

    test('4.7 a task that is revoked while it runs is cancelled, what follows is skipped, and errbacks are called', async () => {
      const run = nextRun();
      const spec = { chain: [task('sleeps', 't0', { seconds: 60 }), canvasOf('t1')], linkError: [task('told', 't2')] };
      const { ended } = await workflows().start(addressed(spec, run));
      const [{ id }] = (await callsSoon(run, 1)) as [Noted];
      const source = `app.control.revoke(${JSON.stringify(id)}, terminate=True)`;
      await runPython({ release, app, redisUrl: workflows().redisUrl }, source);
      const { states, result, summary } = await ended;
      expect([states[1], states[2], summary.failures[0]!.taskId]).toEqual(['Cancelled', 'Skipped', id]);
      expect(JSON.parse(result)).toMatchObject({ exc_type: 'TaskRevokedError' });
      expect((await callsSoon(run, 2)).map(shownCall)).toEqual(['t0[]', 't2[]←t0']);
    });

    test('4.7 a task that expired was never called; what follows is skipped, and errbacks are called', async () => {
      const run = nextRun();
      const late = { ...task('succeed', 't0'), queue: 'nobody', expires: '300ms' };
      const spec = { chain: [late, canvasOf('t1')], linkError: [task('told', 't2')] };
      const { states, summary } = await workflows().run(addressed(spec, run));
      expect([states[1], summary.failures[0]!.type, states[2]]).toEqual(['Failed', 'Expired', 'Skipped']);
      expect((await callsSoon(run, 1)).map(shownCall)).toEqual(['t2[]←t0']);
    });

    test('4.8 what Celery retries by itself keeps its id, and counts as one attempt', async () => {
      const run = nextRun();
      const { summary, resultId } = await workflows().run(addressed(task('retries', 't0', { failures: 2 }), run));
      expect((await callsOf(run)).map(({ id }) => id)).toEqual([resultId, resultId, resultId]);
      expect(summary.steps[0]!.attempt).toBeUndefined();
    });
  });
});

/** A call as `recording.py` and `semantics.py` note it. */
interface Noted {
  readonly at: string;
  readonly args?: readonly unknown[];
  readonly kwargs?: object;
  readonly failed?: string | null;
  readonly id?: string;
  readonly root?: string;
  readonly parent?: string | null;
  /** Of the message, as Celery counts on Redis: 0 is the most urgent. */
  readonly priority?: number | null;
  /** Seconds since 1970. */
  readonly time?: number;
}

function shownCall({ at, args, kwargs, failed }: Noted): string {
  const keywords = kwargs === undefined ? '' : JSON.stringify(kwargs);
  return `${at}${JSON.stringify(args)}${keywords}${failed === undefined ? '' : `←${String(failed)}`}`;
}
