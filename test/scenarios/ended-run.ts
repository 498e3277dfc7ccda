import { rootIdOf } from '#core/workflow/message.ts';
import { statusOf } from '#core/workflow/status.ts';
import { reportOf } from '#operator/runs/run-report.ts';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import { RunWorld } from './run-world.ts';

/** Runs a spec to its end, tasks by name: `boom` fails, others give the sum of their numbers. */
export async function ran(spec: object, world = new RunWorld()) {
  const driver = await world.begin(await world.engine(), spec);
  await world.workAll();
  return seen(world, driver);
}

/** A run as its user sees it: where its root stands, what AsyncResult finds, what was called, what status says. */
export async function seen(world: RunWorld, driver: RunDriver) {
  const { run, trouble } = driver;
  const { evaluation } = run.view;
  const [text] = await world.results.read([rootIdOf(run.identity)]);
  const stored = text === undefined ? undefined : (JSON.parse(text) as { status: string; result: unknown });
  const nowMs = world.clock.nowMs();
  const status = statusOf(
    { ...reportOf(driver), begunAtMs: 0, suspended: false, trouble: undefined },
    { generation: 1, nowMs, timeText: (ms) => new Date(ms).toISOString(), showResult: true },
  );
  return {
    root: evaluation.states[0],
    stage: evaluation.stage,
    stored,
    status,
    message: status.conditions?.[0]?.message,
    calls: world.called,
    names: world.called.map(([task]) => task),
    trouble,
  };
}
