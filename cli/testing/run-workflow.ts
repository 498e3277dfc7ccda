import { queueNamesIn } from '../local/queue-names.ts';
import { LocalQueues } from '../local/local-queues.ts';
import { LocalRun } from '../local/local-run.ts';
import { openLocalHome } from '../local/local-home.ts';
import { openLocalWorker } from '../local/local-worker.ts';
import { routedQueueOf } from '../check/routed-queue.ts';
import { registryOf } from '#worker/tasks/registry.ts';
import { EngineRun } from './engine-run.ts';
import { RecordingRunner } from './recording-runner.ts';
import { readWorkflow } from './tested-workflow.ts';
import type { GivenWorkflow, TestedRun, TestOptions } from './tested-run.ts';
import { VirtualClock } from './virtual-clock.ts';

const usualStart = '2026-01-01T00:00:00Z';
const usualConcurrency = 1_000;
/** The same in every test, so that ids are the same in every run of it. */
const uid = 'a5e7a5e7-0000-4000-8000-000000000000';
/** Nothing is lost here, and a day passes at once: no look is needed but for the clock to have a timer. */
const longestSweepMs = 30 * 24 * 3_600_000;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * Runs a workflow to its end. Time passes whenever nothing but time is waited for, so countdowns, retries and deadlines
 * cost nothing. Rejects when the workflow is not valid, names a task that is not given, or would never end.
 */
export async function runWorkflow(workflow: GivenWorkflow, options: TestOptions): Promise<TestedRun> {
  const run = await startWorkflow(workflow, options);
  await run.finish();
  return run;
}

/** The same, but time stands still until `clock.advance` or `finish` is called. */
export async function startWorkflow(workflow: GivenWorkflow, options: TestOptions): Promise<TestedRun> {
  const registry = registryOf([{ name: 'tasks', exports: tasksOf(options) }]);
  const { name, startAt = usualStart, concurrency = usualConcurrency } = options;
  const infos = new Map([...registry].map(([task, { info }]) => [task, { ...info, inline: true }]));
  const tested = readWorkflow(workflow, { name, known: new Set(infos.keys()) });
  const { spec } = tested.workflow;
  const clock = new VirtualClock(startMsOf(startAt));
  const { nowMs } = clock;
  const runner = new RecordingRunner(registry, clock);
  const queues = new LocalQueues(tested.queues.map(routedQueueOf), queueNamesIn(spec), spec.defaultQueue);
  const home = await openLocalHome({ clock, log: silent, queues, slots: concurrency, sweepEveryMs: longestSweepMs });
  const worker = {
    home,
    queues,
    threads: runner,
    inline: runner,
    tasks: infos,
    concurrency,
    clock,
    log: silent,
  };
  let ids = 0;
  openLocalWorker({
    ...worker,
    newId: () => `00000000-0000-4000-8000-${String((ids += 1)).padStart(12, '0')}`,
  }).start();
  const run = await LocalRun.begin({ home, queues, workflow: tested.workflow, nowMs, uid, onChange: () => undefined });
  const tester = new EngineRun({ run, clock, runner });
  await tester.settle();
  return tester;
}

/** Tests in JavaScript may leave them out. */
function tasksOf(options: { readonly tasks?: object | null } | undefined): object {
  const tasks = options?.tasks;
  if (typeof tasks === 'object' && tasks !== null) return tasks;
  throw new TypeError(
    `the option tasks is ${String(tasks)}; give the tasks by their names: runWorkflow(workflow, { tasks: { add: (a, b) => a + b } })`,
  );
}

function startMsOf(startAt: Date | string): number {
  const ms = new Date(startAt).getTime();
  if (Number.isNaN(ms))
    throw new RangeError(`startAt is ${String(startAt)}; give a Date, or text such as ${usualStart}`);
  return ms;
}
