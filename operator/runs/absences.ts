import { engineFailure } from '#core/workflow/failure.ts';
import { taskIdOf } from '#core/workflow/message.ts';
import type { Outstanding } from './outstanding.ts';
import type { RunPorts } from './run-ports.ts';

/** An absence counts when it is seen again after this long. */
const absentForMs = 2_000;

/**
 * Finds messages that are in no list and in nobody's hands: their worker died between taking and telling, or someone
 * removed them. Only for queues whose every consumer keeps our books; elsewhere absence proves nothing.
 */
export class Absences {
  readonly #ports: Pick<RunPorts, 'broker' | 'clock'>;
  #sinceMs: ReadonlyMap<string, number> = new Map();

  constructor(ports: Pick<RunPorts, 'broker' | 'clock'>) {
    this.#ports = ports;
  }

  /** Those that were absent now and two seconds ago. Throws what the broker throws. */
  async among(silent: readonly Outstanding[]): Promise<readonly Outstanding[]> {
    const now = this.#ports.clock.nowMs();
    const sinceMs = new Map<string, number>();
    const lost: Outstanding[] = [];
    for (const [queue, sent] of byWatchedQueue(silent)) {
      const present = await this.#ports.broker.present(queue, new Set(sent.map(({ messageId }) => messageId)));
      for (const each of sent.filter(({ messageId }) => !present.has(messageId))) {
        const since = this.#sinceMs.get(each.id) ?? now;
        sinceMs.set(each.id, since);
        if (now - since >= absentForMs) lost.push(each);
      }
    }
    this.#sinceMs = sinceMs;
    return lost;
  }
}

/** Tells the run that this attempt will never answer. */
export function reportLost({ driver, step, member, attempt, id }: Outstanding): void {
  // A further round may have begun while the queues were looked at: this attempt is none of its.
  if (taskIdOf(driver.run.identity, { step, member, attempt }) !== id) return;
  const failure = engineFailure('WorkerLost', 'its message vanished without a result');
  driver.see({ step, member, attempt, seen: 'Lost', failure });
}

function byWatchedQueue(silent: readonly Outstanding[]): ReadonlyMap<string, readonly Outstanding[]> {
  const queues = new Map<string, Outstanding[]>();
  for (const each of silent) {
    const queue = each.driver.run.watchedQueue(each.slot);
    if (queue === undefined) continue;
    const sent = queues.get(queue) ?? [];
    sent.push(each);
    queues.set(queue, sent);
  }
  return queues;
}
