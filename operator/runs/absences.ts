import { engineFailure } from '#core/workflow/failure.ts';
import type { Fate } from '#core/workflow/absence.ts';
import { taskIdOf } from '#core/workflow/message.ts';
import { AskedAbsences } from './asked-absences.ts';
import type { Outstanding } from './outstanding.ts';
import type { RunPorts } from './run-ports.ts';

/** An absence counts when it is seen again after this long. */
const absentForMs = 2_000;

/** A message of which nothing is left, and what follows from that. */
export interface Vanished {
  readonly outstanding: Outstanding;
  readonly fate: Exclude<Fate, 'Unknown'>;
  /** Who had it last, where that is known. */
  readonly nodename?: string | undefined;
}

/**
 * Finds messages that are in no list and in nobody's hands: their worker died between taking and telling, left them
 * without a result, or someone removed them. Where every consumer keeps our books, those tell; elsewhere the workers are
 * asked.
 */
export class Absences {
  readonly #ports: Pick<RunPorts, 'broker' | 'clock'>;
  readonly #asked: AskedAbsences;
  #sinceMs: ReadonlyMap<string, number> = new Map();

  constructor(ports: Pick<RunPorts, 'broker' | 'clock' | 'log' | 'results'>) {
    this.#ports = ports;
    this.#asked = new AskedAbsences(ports);
  }

  close(): void {
    this.#asked.close();
  }

  /** Those that were absent now and two seconds ago. Throws what the broker and the result store throw. */
  async among(silent: readonly Outstanding[]): Promise<readonly Vanished[]> {
    return [...(await this.#watched(silent)), ...(await this.#asked.among(silent))];
  }

  async #watched(silent: readonly Outstanding[]): Promise<readonly Vanished[]> {
    const now = this.#ports.clock.nowMs();
    const sinceMs = new Map<string, number>();
    const vanished: Vanished[] = [];
    for (const [queue, sent] of byWatchedQueue(silent)) {
      const present = await this.#ports.broker.present(queue, new Set(sent.map(({ messageId }) => messageId)));
      for (const outstanding of sent.filter(({ messageId }) => !present.has(messageId))) {
        const since = this.#sinceMs.get(outstanding.id) ?? now;
        sinceMs.set(outstanding.id, since);
        if (now - since >= absentForMs) vanished.push({ outstanding, fate: 'Lost' });
      }
    }
    this.#sinceMs = sinceMs;
    return vanished;
  }
}

/** Tells the run that this attempt will never answer. */
export function reportVanished({ outstanding, fate, nodename }: Vanished): void {
  const { driver, step, member, attempt, id } = outstanding;
  // A further round may have begun while the queues were looked at: this attempt is none of its.
  if (taskIdOf(driver.run.identity, { step, member, attempt }) !== id) return;
  if (fate === 'NoResult') {
    const causes =
      'it raised Ignore or Reject, its result is ignored or stored elsewhere, or its message is unreadable';
    const failure = engineFailure(
      'NoResult',
      `worker ${nodename ?? ''} is done with it and stored no result: ${causes}`,
    );
    driver.see({ step, member, attempt, seen: 'Failed', failure });
    return;
  }
  const gone = nodename === undefined ? 'its message vanished without a result' : `its worker ${nodename} is gone`;
  driver.see({ step, member, attempt, seen: 'Lost', failure: engineFailure('WorkerLost', gone) });
}

function byWatchedQueue(silent: readonly Outstanding[]): ReadonlyMap<string, readonly Outstanding[]> {
  const queues = new Map<string, Outstanding[]>();
  for (const each of silent) {
    const route = each.driver.run.routeOf(each.slot);
    if (route?.isWatched !== true) continue;
    const sent = queues.get(route.queue) ?? [];
    sent.push(each);
    queues.set(route.queue, sent);
  }
  return queues;
}
