import type { RunStore } from '#io/runs/run-store.ts';
import type { DrivenRun } from './driven-run.ts';

/**
 * Reads those runs again of which the store holds less than it acknowledged, or nothing: a run that waits for something
 * writes nothing, so that nothing else would tell. Throws `RunStoreUnavailable`.
 */
export async function doubtLost(drivers: readonly DrivenRun[], store: Pick<RunStore, 'revisions'>): Promise<void> {
  const known = drivers.map(({ run }) => run.rev);
  const found = await store.revisions(drivers.map(({ run }) => run.key));
  for (const [at, driver] of drivers.entries()) {
    if ((found[at] ?? -1) >= (known[at] ?? 0)) continue;
    driver.run.doubt();
    driver.schedule();
  }
}
