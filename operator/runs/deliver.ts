import { decodeResultMeta } from '#core/celery/result-meta.ts';
import { observeResult } from '#core/workflow/observe-meta.ts';
import { endNewerAttempt } from './newer-attempt.ts';
import type { DrivenRun } from './driven-run.ts';
import type { RunPorts } from './run-ports.ts';

type DeliveryPorts = Pick<RunPorts, 'broker' | 'log' | 'payloadLimits'>;

/** Tells what is stored under an id of ours to the run that it is of, if that is here and in the same round. */
export function deliver(
  { id, text }: { readonly id: string; readonly text: string },
  find: (run48: string) => DrivenRun | undefined,
  ports: DeliveryPorts,
): void {
  const stored = decodeResultMeta(text);
  const seen = stored.ok ? observeResult(id, stored.value, ports.payloadLimits) : undefined;
  const driver = seen === undefined ? undefined : find(seen.run48);
  if (seen === undefined || driver?.run.identity.round !== seen.round) return;
  void endNewerAttempt(driver, seen.observation, ports);
  driver.see(seen.observation);
}
