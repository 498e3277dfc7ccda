import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REPOSITORY } from '../cluster/folders.ts';
import { startCeleryWorker, type CeleryWorker } from '../support/celery.ts';
import type { Canvas } from '../support/celery-canvas/canvas.ts';
import { differences, type Difference } from '../support/celery-canvas/difference.ts';
import { defectsIn, nativeDefects } from '../support/celery-canvas/native-defects.ts';
import { applyNatively, nativeOutcome } from '../support/celery-canvas/native.ts';
import { canvasOf, shown } from '../support/celery-canvas/notation.ts';
import { randomCanvases } from '../support/celery-canvas/random-canvas.ts';
import { referenceOutcome } from '../support/celery-canvas/reference.ts';
import { workflowOutcome } from '../support/celery-canvas/workflow-outcome.ts';
import { CeleryWorkflows } from '../support/celery-workflows.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';

const app = join(REPOSITORY, 'test', 'integration', 'celery', 'recording.py');
/** Other canvases with `ARPEGGIO_CANVAS_SEED`, more of them with `ARPEGGIO_CANVASES`. */
const seed = Number(process.env['ARPEGGIO_CANVAS_SEED'] ?? 1);
const count = Number(process.env['ARPEGGIO_CANVASES'] ?? 500);

/** One canvas, run twice over the same worker: how each differs from the user guide. */
interface Compared {
  readonly canvas: Canvas;
  readonly native: ReadonlySet<Difference>;
  readonly workflow: ReadonlySet<Difference>;
}

let redis: RunningRedis;
let worker: CeleryWorker;
let workflows: CeleryWorkflows;
let random: readonly Compared[];
let examples: readonly Compared[];

beforeAll(async () => {
  redis = await startRedis();
  // Late acks: what is neither waiting nor unacked is not being worked on either.
  const settings = ['task.acks_late=true'];
  worker = await startCeleryWorker({ app, redisUrl: redis.url, queues: ['celery'], settings, logLevel: 'WARNING' });
  workflows = await CeleryWorkflows.open(redis.url, 'celery');
  const written = nativeDefects.map(({ example }) => canvasOf(example));
  const compared = await compare([...randomCanvases(seed, count), ...written]);
  random = compared.slice(0, count);
  examples = compared.slice(count);
}, 900_000);

afterAll(async () => {
  workflows.close();
  await worker.stop();
  await redis.stop();
});

async function compare(canvases: readonly Canvas[]): Promise<readonly Compared[]> {
  const natively = new Map(canvases.map((canvas, i) => [`native-${i}`, canvas]));
  const [asWorkflows] = await Promise.all([
    Promise.all(canvases.map((canvas, i) => workflowOutcome(workflows, `workflow-${i}`, canvas))),
    applyNatively({ app, redisUrl: redis.url }, natively),
  ]);
  await nothingGoesOn(workflows.redis);
  return Promise.all(
    canvases.map(async (canvas, i) => {
      const expected = referenceOutcome(canvas);
      const native = await nativeOutcome(workflows.redis, `native-${i}`, canvas);
      return {
        canvas,
        native: native.refused === undefined ? differences(native, expected) : new Set<Difference>(['Refused']),
        workflow: differences(asWorkflows[i]!, expected),
      };
    }),
  );
}

/**
 * Some canvases never end natively. They are over when no message is anywhere, for a while, and the worker waits for the
 * next: it does not while it has one in its hands that it has not noted yet.
 */
async function nothingGoesOn(client: Redis): Promise<void> {
  const lists = [3, 6, 9].map((step) => `celery\x06\x16${step}`);
  for (let still = 0; still < 10;) {
    const counts = client.multi().client('LIST').llen('celery').hlen('unacked');
    for (const list of lists) counts.llen(list);
    const [[, clients] = [], ...found] = (await counts.exec()) ?? [];
    const isWaiting = String(clients)
      .split('\n')
      .some((line) => / flags=b .* cmd=brpop /.test(line));
    if (found.some(([, each]) => each !== 0)) still = 0;
    else if (isWaiting) still += 1;
    await after(100);
  }
}

function unexplained({ canvas, native }: Compared): readonly Difference[] {
  const possible = new Set(defectsIn(canvas).flatMap((defect) => defect.differences));
  return [...native].filter((each) => !possible.has(each));
}

function told(compared: readonly Compared[], of: (each: Compared) => Iterable<Difference>): readonly string[] {
  return compared
    .map((each) => ({ line: shown(each.canvas), found: [...of(each)] }))
    .filter(({ found }) => found.length > 0)
    .map(({ line, found }) => `${line}: ${found.join(', ')}`)
    .sort((one, other) => one.length - other.length);
}

describe(`${count} random canvases (seed ${seed}), natively and as Workflows over the same Celery 5.7 worker`, () => {
  test('as Workflows give the results, states and calls that the user guide promises', () => {
    expect(told(random, ({ workflow }) => workflow)).toEqual([]);
  });

  test('natively do the same, or a named defect says why not', () => {
    const differing = random.filter(({ native }) => native.size > 0);
    const rows = nativeDefects.map((defect) => {
      const shownBy = differing.filter(
        ({ canvas, native }) =>
          defect.differences.some((each) => native.has(each)) && defectsIn(canvas).includes(defect),
      );
      return `${String(shownBy.length).padStart(5)}  ${defect.name}`;
    });
    console.log([`${differing.length} of ${random.length} canvases end otherwise natively:`, ...rows].join('\n'));
    expect(told(random, unexplained)).toEqual([]);
  });

  test('agree where there is no defect to name, so that the names do not explain everything', () => {
    const plain = random.filter(({ canvas }) => defectsIn(canvas).length === 0);
    expect(plain.length).toBeGreaterThan(count / 3);
    expect(told(plain, ({ native }) => native)).toEqual([]);
  });
});

test('the page for those who know Celery lists every canvas that shows a defect, and how many differ', async () => {
  const page = await readFile(join(REPOSITORY, 'docs', 'celery-differences.md'), 'utf8');
  expect(nativeDefects.map(({ example }) => example).filter((each) => !page.includes(`\`${each}\``))).toEqual([]);
  const written = Number(/of 500 random canvases (\d+) end/.exec(page)?.[1]);
  // Some races of Celery's own end one way or the other, and on a busy machine other ones.
  const differing = random.filter(({ native }) => native.size > 0).length;
  if (seed === 1 && count === 500) expect(Math.abs(written - differing)).toBeLessThanOrEqual(25);
});

describe('native Celery 5.7, and no Workflow', () => {
  test.each(nativeDefects.map((defect, i) => ({ ...defect, i })))(
    '$name: $example',
    ({ i, name, differences: own }) => {
      const { canvas, native, workflow } = examples[i]!;
      expect(defectsIn(canvas).map((each) => each.name)).toContain(name);
      expect([...native].filter((each) => own.includes(each))).not.toEqual([]);
      expect(unexplained(examples[i]!)).toEqual([]);
      expect([...workflow]).toEqual([]);
    },
  );
});
