import type { TakenMessages, WorkerLease } from '#io/redis/read-depths.ts';

/** What was last seen of one connection's queues. Queues are called by their wire names. */
export interface DepthReading {
  readonly waiting: ReadonlyMap<string, number>;
  readonly held: ReadonlyMap<string, number>;
  /** Absent when not known. */
  readonly taken?: readonly TakenMessages[];
  readonly leases: readonly WorkerLease[];
}

/** Messages that workers have of a queue, or undefined when that is not known. */
export function inFlightOf(reading: DepthReading, queue: string): number | undefined {
  return reading.taken?.filter((taken) => taken.queue === queue).reduce((sum, { count }) => sum + count, 0);
}

/** The queues of which something differs between two readings; all of them when there was none before. */
export function changedQueues(before: DepthReading | undefined, after: DepthReading): ReadonlySet<string> {
  if (before === undefined) return new Set(after.waiting.keys());
  const changed = takenDiffers(before, after);
  for (const [queue, count] of after.waiting) {
    if (before.waiting.get(queue) !== count || before.held.get(queue) !== after.held.get(queue)) changed.add(queue);
  }
  for (const queue of before.waiting.keys()) {
    if (!after.waiting.has(queue)) changed.add(queue);
  }
  return changed;
}

/** The queues of which other workers have messages than before, or another number of them. */
function takenDiffers(before: DepthReading, after: DepthReading): Set<string> {
  if (before.taken === undefined || after.taken === undefined) {
    return new Set(before.taken === after.taken ? [] : after.waiting.keys());
  }
  const counts = new Map(before.taken.map((taken) => [holderOf(taken), taken]));
  const changed = new Set<string>();
  for (const taken of after.taken) {
    if (counts.get(holderOf(taken))?.count !== taken.count) changed.add(taken.queue);
    counts.delete(holderOf(taken));
  }
  for (const { queue } of counts.values()) changed.add(queue);
  return changed;
}

function holderOf({ podUid, incarnation, queue }: TakenMessages): string {
  return `${podUid}.${String(incarnation)}:${queue}`;
}

/** The pods whose workers say something else of themselves than before. */
export function changedPods(before: DepthReading | undefined, after: DepthReading): ReadonlySet<string> {
  const past = new Map(before?.leases.map((lease) => [lease.podUid, lease]));
  const changed = after.leases.filter(({ podUid, busy, slots }) => {
    const known = past.get(podUid);
    past.delete(podUid);
    return known?.busy !== busy || known.slots !== slots;
  });
  return new Set([...changed.map(({ podUid }) => podUid), ...past.keys()]);
}
