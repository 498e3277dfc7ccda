import { noteIdOf } from '#core/base/task-id.ts';
import { AskedAbsences } from './asked-absences.ts';
import type { Outstanding } from './outstanding.ts';
import type { RunPorts } from './run-ports.ts';
import type { Vanished } from './vanished.ts';

/** An absence counts when it is seen again after this long. */
const absentForMs = 2_000;

/**
 * Finds messages that are in no list and in nobody's hands: their worker died between taking and telling, left them
 * without a result, or someone removed them. Where every consumer keeps our books, those tell; elsewhere the workers are
 * asked.
 */
export class Absences {
  readonly #ports: Pick<RunPorts, 'broker' | 'clock' | 'results'>;
  readonly #asked: AskedAbsences;
  #sinceMs: ReadonlyMap<string, number> = new Map();

  constructor(ports: Pick<RunPorts, 'broker' | 'clock' | 'log' | 'results'>) {
    this.#ports = ports;
    this.#asked = new AskedAbsences(ports);
  }

  /** To be called before a task is sent about which workers may have to be asked. */
  listen(): void {
    this.#asked.listen();
  }

  close(): void {
    this.#asked.close();
  }

  /**
   * Those that were absent now and two seconds ago, and those of which a worker noted that they leave no result.
   * Throws what the broker and the result store throw.
   */
  async among(silent: readonly Outstanding[]): Promise<readonly Vanished[]> {
    const vanished = [...(await this.#watched(silent)), ...(await this.#asked.among(silent))];
    const unjudged = silent.filter(isUnjudged);
    const noted = await this.#noted([...vanished.map(({ outstanding }) => outstanding), ...unjudged]);
    return [
      ...vanished.map((each) => (noted.has(each.outstanding) ? { ...each, fate: 'NoResult' as const } : each)),
      ...unjudged.filter((each) => noted.has(each)).map((outstanding) => ({ outstanding, fate: 'NoResult' as const })),
    ];
  }

  /** Those of which our worker noted that they leave no result. */
  async #noted(silent: readonly Outstanding[]): Promise<ReadonlySet<Outstanding>> {
    if (silent.length === 0) return new Set();
    const notes = await this.#ports.results.glance(silent.map(({ id }) => noteIdOf(id) ?? id));
    return new Set(silent.filter((_, index) => notes[index] !== undefined));
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

function byWatchedQueue(silent: readonly Outstanding[]): ReadonlyMap<string, readonly Outstanding[]> {
  const queues = new Map<string, Outstanding[]>();
  for (const each of silent) {
    const route = each.driver.run.routeOf(each.slot);
    // What lies in the outbox is in no queue yet.
    if (route?.isWatched !== true || each.driver.run.outbox.holds(each.messageId)) continue;
    const sent = queues.get(route.queue) ?? [];
    sent.push(each);
    queues.set(route.queue, sent);
  }
  return queues;
}

/** Nobody can be asked whether its message is still there: it goes to a queue of another connection, or to none today. */
function isUnjudged({ driver, slot }: Outstanding): boolean {
  const route = driver.run.routeOf(slot);
  return route?.isWatched !== true && route?.isAsked !== true;
}
