import type { Struck } from '../kernel/faults.ts';
import type { WritesOf } from './api-writes.ts';
import { Violation } from './violation.ts';

/** A run that nobody disturbs is written about so often at most: by how long it took, and by the hour after that. */
const most = [
  { withinMs: 1_000, writes: 2 },
  { withinMs: 5_000, writes: 5 },
] as const;
const mostOfLong = 25;
const mostAnHour = 6;

/** That a run failed is an event and a write more; that tasks were lost, another. */
const mostEvents = 2;
/** Whoever asks for something is told that it was heard, that it was done, and how the round then ended. */
const perWish = { writes: 4, events: 2 };
/** Who takes over, or got no answer, may say again what was said. */
const perDisturbance = { writes: 2, events: 1 };

/** Faults after which an operator cannot know what it, or the one before it, has written. */
const disturbing =
  /^(Operator|TwoLeaders|Api|Redis|RunLost|ValuesLost|OutboxLost|Broker|Secret|RequestLost|AnswerLost|Slow|Watch|SubscriberCut|ClockSkew)/;

/** The API server is written to seldom, and people are told little: never one event for each task. */
export function judgeWrites(key: string, writes: WritesOf, struck: readonly Struck[]): void {
  const { createdAtMs, endedAtMs, statuses, events, wishes } = writes;
  if (endedAtMs === undefined) return;
  const disturbances = struck.filter((fault) => disturbing.test(fault.key)).length;
  const allowedEvents = mostEvents + wishes * perWish.events + disturbances * perDisturbance.events;
  if (events > allowedEvents) {
    throw new Violation('P11', `${key}: ${events} events were written, and ${allowedEvents} at most are worth telling`);
  }
  const tookMs = endedAtMs - createdAtMs;
  // What is asked for may be a further round, which is told of as the first was.
  const ofWish = Math.max(perWish.writes, usual(tookMs));
  const allowed = usual(tookMs) + mostEvents + wishes * ofWish + disturbances * perDisturbance.writes;
  if (statuses + events > allowed) {
    const found = `${statuses} statuses and ${events} events in ${Math.round(tookMs)} ms`;
    throw new Violation('P11', `${key}: ${found}; ${allowed} writes at most are due`);
  }
}

function usual(tookMs: number): number {
  const short = most.find(({ withinMs }) => tookMs <= withinMs);
  return short?.writes ?? mostOfLong + Math.ceil((mostAnHour * tookMs) / 3_600_000);
}
