import { faultKinds } from '../kernel/faults.ts';

/** Which events met which states: a pair that never occurs in many seeds is a part of the engine that nobody tried. */
export class Coverage {
  readonly counts = new Map<string, number>();

  add(state: string, event: string): void {
    const pair = pairOf(state, event);
    this.counts.set(pair, (this.counts.get(pair) ?? 0) + 1);
  }
}

/** What becomes of an attempt whose worker or message is gone: another one, which may be sent in the same breath. */
export const lostAttempt = 'a further attempt';

/** A retry whose queue is another one than that of its task. */
export const escalated = 'Escalated';

/** What a task may become from each state, and what may befall a pod. */
const expected: Readonly<Record<string, readonly string[]>> = {
  Waiting: ['Published', 'Scheduled', 'PassedOver', 'Failed'],
  Scheduled: ['Published', 'Failed', 'Continued'],
  Published: ['Running', 'Retrying', 'Succeeded', 'Failed', 'Continued', 'Cancelled', 'Scheduled', lostAttempt],
  Running: ['Retrying', 'Succeeded', 'Failed', 'Continued', 'Cancelled', 'Scheduled'],
  'Held back': ['Beside one as urgent', 'Beside a more urgent one'],
  'Broker away': ['Refused', 'Hangs', 'Full', 'Readonly'],
  'Busy pod': ['Asked to stop'],
  'Idle pod': ['Asked to stop'],
  [escalated]: ['Sent', 'Held back'],
  Retrying: ['Running', 'Succeeded', 'Failed', 'Continued', 'Cancelled'],
};

/** Of many seeds: the faults that never struck, and what never became of a state. */
export function neverMet(
  faults: Readonly<Record<string, number>>,
  coverage: Readonly<Record<string, number>>,
): readonly string[] {
  const pairs = Object.entries(expected).flatMap(([state, events]) => events.map((event) => pairOf(state, event)));
  return [...faultKinds.filter((kind) => !(kind in faults)), ...pairs.filter((pair) => !(pair in coverage))];
}

function pairOf(state: string, event: string): string {
  return `${state} × ${event}`;
}
