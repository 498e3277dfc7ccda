import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { REPOSITORY } from '../cluster/folders.ts';
import { addressed } from '../support/celery-canvas/canvas.ts';
import { celeryReleases } from '../support/celery-of-suite.ts';
import { CeleryWorkflows } from '../support/celery-workflows.ts';
import {
  startCeleryWorker,
  type CeleryRelease,
  type CeleryWorker,
  type CeleryWorkerOptions,
} from '../support/celery.ts';
import { redisOfFile } from '../support/redis-of-file.ts';
import { task } from './celery-semantic-rows.ts';

/** The newest and the oldest: what they answer about what they hold is the same in between. */
const releases: readonly CeleryRelease[] = ['5.7.0', '5.2.7'];
const app = join(REPOSITORY, 'test', 'integration', 'celery', 'semantics.py');
const redis = redisOfFile();
/** Longer than two sweeps and the second look together. */
const longSeconds = 20;
const within = { timeout: 150_000, interval: 200 };

interface Call {
  readonly at: string;
  readonly id?: string;
}

/** Workers of one release in a database of their own, and Workflows over them. */
class Lab {
  static #labs = 0;
  readonly #release: CeleryRelease;
  readonly #redisUrl = redis.url((Lab.#labs += 1));
  readonly #workers: CeleryWorker[] = [];
  #workflows: CeleryWorkflows | undefined;
  #runs = 0;

  constructor(release: CeleryRelease) {
    this.#release = release;
  }

  async worker(options: Partial<CeleryWorkerOptions> = {}): Promise<CeleryWorker> {
    const common = { release: this.#release, app, redisUrl: this.#redisUrl, logLevel: 'WARNING' } as const;
    const started = await startCeleryWorker({ ...common, queues: ['celery'], ...options });
    this.#workers.push(started);
    return started;
  }

  async workflows(): Promise<CeleryWorkflows> {
    this.#workflows = await CeleryWorkflows.open(this.#redisUrl, 'celery');
    return this.#workflows;
  }

  run(): string {
    return `absent-${(this.#runs += 1)}`;
  }

  async close(): Promise<void> {
    this.#workflows?.close();
    await Promise.all(this.#workers.map((each) => each.stop(0)));
  }
}

function inLab(release: CeleryRelease, body: (lab: Lab) => Promise<void>): () => Promise<void> {
  return async () => {
    const lab = new Lab(release);
    try {
      await body(lab);
    } finally {
      await lab.close();
    }
  };
}

async function called(own: CeleryWorkflows, at: string): Promise<void> {
  await vi.waitFor(async () => expect(await own.callsOf(at)).toHaveLength(1), within);
}

describe.concurrent.each(releases)('what Celery %s leaves in no queue', { timeout: 400_000 }, (release) => {
  test(
    'is not missed while a worker runs it, in processes and in threads, or keeps it until its time',
    inLab(release, async (lab) => {
      await Promise.all([lab.worker(), lab.worker({ pool: 'threads', queues: ['threads'] })]);
      const own = await lab.workflows();
      const [one, other, later] = [lab.run(), lab.run(), lab.run()];
      const ended = await Promise.all([
        own.run(addressed(task('sleeps', 't0', { seconds: longSeconds }), one)),
        own.run(addressed({ ...task('sleeps', 't0', { seconds: longSeconds }), queue: 'threads' }, other)),
        own.run(addressed(task('retries_later', 't0', { seconds: longSeconds }), later)),
      ]);
      expect(ended.map(({ state }) => state)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
      const calls = await Promise.all([one, other, later].map((each) => own.callsOf<Call>(each)));
      expect(calls.map(({ length }) => length)).toEqual([1, 1, 2]);
      expect(calls[2]![0]!.id).toBe(calls[2]![1]!.id);
    }),
  );

  test(
    'is held, whatever became of it, while a worker runs a task in its only thread and answers nothing',
    inLab(release, async (lab) => {
      await lab.worker({ pool: 'solo' });
      const own = await lab.workflows();
      const busy = lab.run();
      const long = await own.start(addressed(task('sleeps', 't0', { seconds: longSeconds + 10 }), busy));
      await called(own, busy);
      await own.start(addressed({ ...task('succeed', 't0'), queue: 'nobody' }, lab.run()));
      await vi.waitFor(async () => expect(await own.redis.del('nobody')).toBe(1), within);
      await vi.waitFor(async () => expect(await own.redis.llen('nobody')).toBe(1), within);
      // Only what has stored its result answers again.
      const [{ id = '' }] = (await own.callsOf<Call>(busy)) as [Call];
      expect(await own.redis.exists(`celery-task-meta-${id}`)).toBe(1);
      expect((await long.ended).state).toBe('Succeeded');
      expect(await own.callsOf(busy)).toHaveLength(1);
    }),
  );

  test(
    '4.7 runs again when its worker was killed',
    inLab(release, async (lab) => {
      const dying = await lab.worker();
      const own = await lab.workflows();
      const at = lab.run();
      const { ended } = await own.start(addressed(task('sleeps_at_first', 't0', { seconds: 600 }), at));
      await called(own, at);
      await lab.worker();
      process.kill(-dying.pid, 'SIGKILL');
      expect(await ended).toMatchObject({ state: 'Succeeded', result: '"at last"' });
      expect(await own.callsOf(at)).toHaveLength(2);
    }),
  );

  test(
    'is not missed while its worker leaves and finishes it',
    inLab(release, async (lab) => {
      const leaving = await lab.worker();
      const own = await lab.workflows();
      const at = lab.run();
      const { ended } = await own.start(addressed(task('sleeps', 't0', { seconds: longSeconds + 5 }), at));
      await called(own, at);
      // The workers are asked once before it leaves: from then on the operator listens.
      await vi.waitFor(
        async () =>
          expect(await own.redis.pubsub('NUMSUB', `/${own.redis.options.db}.celeryev/worker.offline`)).toContain(1),
        within,
      );
      await lab.worker();
      process.kill(leaving.pid, 'SIGTERM');
      expect((await ended).state).toBe('Succeeded');
      expect(await own.callsOf(at)).toHaveLength(1);
    }),
  );

  test(
    'is not missed while its worker leaves and finishes it, though no operator ran to hear that',
    inLab(release, async (lab) => {
      const leaving = await lab.worker();
      const before = await lab.workflows();
      const [at, uid] = [lab.run(), randomUUID()];
      const spec = addressed(task('sleeps', 't0', { seconds: longSeconds + 5 }), at);
      await before.start(spec, uid);
      await called(before, at);
      // Acknowledged in a moment: what a worker that leaves had not acknowledged it gives back.
      await vi.waitFor(async () => expect(await before.redis.hlen('unacked')).toBe(0), within);
      before.close();
      process.kill(leaving.pid, 'SIGTERM');
      await lab.worker();
      const own = await lab.workflows();
      const { ended } = await own.start(spec, uid);
      expect((await ended).state).toBe('Succeeded');
      expect(await own.callsOf(at)).toHaveLength(1);
    }),
  );

  test(
    'runs again when someone removed its message',
    inLab(release, async (lab) => {
      await lab.worker();
      const own = await lab.workflows();
      const { driver, ended } = await own.start(addressed({ ...task('succeed', 't0'), queue: 'nobody' }, lab.run()));
      await vi.waitFor(async () => expect(await own.redis.llen('nobody')).toBe(1), within);
      const [removed] = await own.redis.lrange('nobody', 0, -1);
      await own.redis.del('nobody');
      await vi.waitFor(async () => expect(await own.redis.llen('nobody')).toBe(1), within);
      expect(await own.redis.lrange('nobody', 0, -1)).not.toEqual([removed]);
      await lab.worker({ queues: ['nobody'] });
      expect((await ended).state).toBe('Succeeded');
      expect(driver.run.view.evaluation.states[0]).toBe('Succeeded');
    }),
  );
});

/** What leaves no result behind, and the releases of which that is true. */
const leavesNothing: readonly [why: string, task: object, releases: readonly CeleryRelease[]][] = [
  ['it raised Ignore', task('ignores', 't0'), ['5.7.0', '5.6.3', '5.2.7']],
  ['it raised Reject', task('rejects', 't0'), ['5.6.3', '5.2.7']],
  [
    'it replaced itself by a chain that ends in a group',
    task('replaced', 't0', { by: 'chain of a group' }),
    ['5.6.3', '5.2.7'],
  ],
  ['its result is ignored', task('result_ignored', 't0'), ['5.2.7']],
];

describe.concurrent.each(celeryReleases)('4.7 a task has no result over Celery %s', { timeout: 400_000 }, (release) => {
  const rows = leavesNothing.filter(([, , releases]) => releases.includes(release));

  test(
    `because ${rows.map(([why]) => why).join(', or ')}: what follows is skipped, and the errback called`,
    inLab(release, async (lab) => {
      await lab.worker({ settings: ['task.track_started=true'] });
      const own = await lab.workflows();
      const ats = rows.map(() => lab.run());
      const ended = await Promise.all(
        rows.map(([, first], index) =>
          own.run(addressed({ chain: [first, task('succeed', 't1')], linkError: [task('told', 't2')] }, ats[index]!)),
        ),
      );
      const ends = ended.map(({ state, result }) => [state, (JSON.parse(result) as { exc_type: string }).exc_type]);
      expect(ends).toEqual(rows.map(() => ['Failed', 'NoResult']));
      for (const at of ats) {
        const called = (await own.callsOf<Call>(at)).map((call) => call.at);
        expect(called).not.toContain('t1');
        expect(called.at(-1)).toBe('t2');
      }
    }),
  );
});
