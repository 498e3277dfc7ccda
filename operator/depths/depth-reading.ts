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
  const queues = new Set([...after.waiting.keys(), ...(before?.waiting.keys() ?? [])]);
  if (before === undefined) return queues;
  const changed = [...queues].filter((queue) => textOf(before, queue) !== textOf(after, queue));
  return new Set(changed);
}

function textOf(reading: DepthReading, queue: string): string {
  const taken = reading.taken
    ?.filter((each) => each.queue === queue)
    .map(({ podUid, count }) => `${podUid}=${String(count)}`)
    .sort();
  return [reading.waiting.get(queue), reading.held.get(queue), taken?.join() ?? '?'].join(' ');
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
