import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { REPOSITORY } from '../cluster/folders.ts';
import { runPython } from '../support/celery.ts';
import { addressed } from '../support/celery-canvas/canvas.ts';
import { canvasOf } from '../support/celery-canvas/notation.ts';
import { celeryOfSuite, celeryReleases } from '../support/celery-of-suite.ts';
import { redisOfFile } from '../support/redis-of-file.ts';
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
      { timeout: 20_000, interval: 50 },
    );
  }

  describe.concurrent('as a row of its own', () => {
    test.each(rows)('$row', async ({ spec, result, failure, calls, states = {} }) => {
      const run = nextRun();
      const ended = await workflows().run(addressed(spec, run));
      expect((await callsSoon(run, calls.length)).map(shownCall).sort()).toEqual([...calls].sort());
      const value = JSON.parse(ended.result) as { exc_type?: string };
      if (failure === undefined) expect([ended.state, value]).toEqual(['Succeeded', result]);
      else expect([ended.state, value.exc_type]).toEqual(['Failed', failure]);
      const found = ended.plan.steps.map(({ path, index }) => [path, ended.states[index]]);
      expect(Object.fromEntries(found)).toMatchObject(states);
    });

    test('4.2, 4.5 a step knows the task before it as its parent, and the run as its root; so does a callback', async () => {
      const run = nextRun();
      const spec = { chain: [task('lineage', 't0'), { ...task('lineage', 't1'), link: [task('lineage', 't2')] }] };
      const { resultId } = await workflows().run(addressed(spec, run));
      const [t0, t1, t2] = await callsOf(run);
      expect([t0!.parent, t1!.parent, t2!.parent]).toEqual([null, t0!.id, t1!.id]);
      expect(new Set([t0!.root, t1!.root, t2!.root])).toEqual(new Set([resultId]));
    });

    test('4.4 a countdown on a header delays the header, and the body follows it at once', async () => {
      const run = nextRun();
      const header = [task('lineage', 't0'), { ...task('lineage', 't1'), countdown: '4s' }];
      const began = Date.now() / 1000;
      await workflows().run(addressed({ chord: { header, body: task('lineage', 't2') } }, run));
      const [t0, t1, t2] = (await callsOf(run)).map(({ at, time }) => ({ at, after: time! - began }));
      expect([t0!.at, t1!.at, t2!.at]).toEqual(['t0', 't1', 't2']);
      expect(t1!.after).toBeGreaterThan(3.9);
      expect(t2!.after - t1!.after).toBeLessThan(3.9);
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

    test.runIf(release === '5.7.0')('1.6 the result of a task that is declared to ignore it is kept', async () => {
      const spec = { chain: [task('result_ignored', 't0'), canvasOf('t1')] };
      const run = nextRun();
      await workflows().run(addressed(spec, run));
      expect((await callsOf(run)).map(shownCall)).toEqual(['t0[]', 't1["kept all the same"]']);
    });

    test.runIf(release === '5.7.0')('4.7 a rejected task has failed', async () => {
      const run = nextRun();
      const { state, result } = await workflows().run(
        addressed({ chain: [task('rejects', 't0'), canvasOf('t1')] }, run),
      );
      expect([state, (JSON.parse(result) as { exc_type: string }).exc_type]).toEqual(['Failed', 'Reject']);
    });

    test.runIf(release === '5.7.0')(
      '4.7 a task that Celery runs again when its process was killed is not sent again',
      async () => {
        const run = nextRun();
        const { result, summary } = await workflows().run(
          addressed(task('killed_and_retried', 't0', { deaths: 2 }), run),
        );
        expect(JSON.parse(result)).toBe('alive');
        expect((await callsOf(run)).map(shownCall)).toEqual(['t0[]', 't0[]', 't0[]']);
        expect(summary.steps[0]!.attempt).toBeUndefined();
      },
    );

    test.runIf(release === '5.7.0')(
      '4.7 a task that is ignored leaves nothing to wait for: the deadline of the run ends it',
      async () => {
        const run = nextRun();
        const spec = { chain: [task('ignores', 't0'), canvasOf('t1')], finally: [task('succeed', 't2')] };
        const { ended, configure } = await workflows().start(addressed(spec, run));
        configure({ deadlineMs: 1_500 });
        expect((await ended).state).toBe('Cancelled');
        expect((await callsOf(run)).map(({ at }) => at)).toEqual(['t0', 't2']);
      },
    );

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
  /** Seconds since 1970. */
  readonly time?: number;
}

function shownCall({ at, args, kwargs, failed }: Noted): string {
  const keywords = kwargs === undefined ? '' : JSON.stringify(kwargs);
  return `${at}${JSON.stringify(args)}${keywords}${failed === undefined ? '' : `←${String(failed)}`}`;
}
