import type { StoredRun } from '#core/workflow/advance.ts';
import { messageIdOf } from '#core/workflow/message.ts';
import { isInFlight, readSlot, slotBytes, slotStateAt } from '#core/workflow/slots.ts';
import { placeOfSlot } from '#core/workflow/unfolded.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import { letterOf } from './outbox.ts';
import { byQueue, type Outstanding } from './outstanding.ts';
import type { RunPorts } from './run-ports.ts';

type BrokerPorts = Pick<RunPorts, 'broker' | 'log'>;

/** What became of messages that were to be taken back; of the others a worker has already heard. */
export interface AskedBack {
  readonly withdrawn: readonly Outstanding[];
  /** Their broker did not answer: nobody knows where they are. */
  readonly unanswered: readonly Outstanding[];
}

/**
 * Takes messages back that no worker has claimed yet, and answers which. Best effort: what a broker refuses is logged,
 * and stays as it is.
 */
export async function withdraw(
  outstanding: readonly Outstanding[],
  ports: BrokerPorts,
): Promise<readonly Outstanding[]> {
  return (await askBack(outstanding, ports)).withdrawn;
}

/** The same, for those who have to know which were not answered for. What was not sent yet needs no broker's answer. */
export async function askBack(outstanding: readonly Outstanding[], { broker, log }: BrokerPorts): Promise<AskedBack> {
  const { withheld: withdrawn, leaving: unanswered, sent: asked } = withhold(outstanding);
  for (const [queue, sent] of byQueue(asked)) {
    try {
      const removed = await broker.withdraw(queue, new Set(sent.map(({ messageId }) => messageId)));
      withdrawn.push(...sent.filter(({ messageId }) => removed.has(messageId)));
    } catch (error) {
      unanswered.push(...sent);
      const message = error instanceof Error ? error.message : String(error);
      log.warn({ queue, error: message }, 'could not take back what waits; its results will be ignored');
    }
  }
  return { withdrawn, unanswered };
}

interface Withholding {
  readonly withheld: Outstanding[];
  /** Nobody can say yet whether the broker takes them. */
  readonly leaving: Outstanding[];
  readonly sent: readonly Outstanding[];
}

/** Keeps from being sent what lies in the outbox, whatever its broker says. */
function withhold(outstanding: readonly Outstanding[]): Withholding {
  const found = Map.groupBy(outstanding, ({ driver: { run }, messageId }) => {
    if (run.outbox.withhold(messageId)) return 'withheld';
    return run.outbox.holds(messageId) ? 'leaving' : 'sent';
  });
  return {
    withheld: found.get('withheld') ?? [],
    leaving: found.get('leaving') ?? [],
    sent: found.get('sent') ?? [],
  };
}

/** Takes back what waits and asks the rest to stop, for a run that nobody waits for any more. */
export async function stopAll(outstanding: readonly Outstanding[], ports: BrokerPorts): Promise<void> {
  const withdrawn = new Set(await withdraw(outstanding, ports));
  const running = outstanding.filter((each) => !withdrawn.has(each)).map(({ messageId }) => messageId);
  await revoke(new Set(running), ports);
}

/**
 * The same for a run of which only the store knows: its messages are looked for in each of these queues. Answers whether
 * that is all that can be done: not while their broker may have what the outbox holds, and did not answer for it.
 */
export async function stopStored(
  { run48 }: RunKey,
  stored: StoredRun,
  queues: readonly string[],
  ports: BrokerPorts,
): Promise<boolean> {
  const ids = new Set([...inFlightIds(run48, stored), ...leftIds(stored)]);
  let isAnswered = true;
  for (const queue of queues) {
    if (ids.size === 0) break;
    try {
      for (const id of await ports.broker.withdraw(queue, ids)) ids.delete(id);
    } catch (error) {
      isAnswered = false;
      ports.log.warn({ queue, error: textOf(error) }, 'could not take back what waits; its results will be ignored');
    }
  }
  const isHeard = await revoke(ids, ports);
  return ids.size === 0 || (isAnswered && isHeard) || stored.outbox.length === 0;
}

/** Of these nobody knows whether their broker has them. */
function leftIds({ outbox }: StoredRun): readonly string[] {
  return outbox.map((text) => letterOf(text).id);
}

function inFlightIds(run48: string, { head, slots, maps }: StoredRun): readonly string[] {
  const identity = { uid: head.uid, run48, round: head.round, roundsAt: head.roundsAt };
  return Array.from({ length: slots.length / slotBytes }, (_, at) => at)
    .filter((at) => isInFlight(slotStateAt(slots, at)))
    .map((at) => messageIdOf(identity, placeOfSlot(maps, at), readSlot(slots, at)));
}

/** Answers whether the broker took it. */
async function revoke(ids: ReadonlySet<string>, { broker, log }: BrokerPorts): Promise<boolean> {
  if (ids.size === 0) return true;
  try {
    await broker.revoke(ids);
    return true;
  } catch (error) {
    log.warn({ error: textOf(error) }, 'could not ask what runs to stop; its results will be ignored');
    return false;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
