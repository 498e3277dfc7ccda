import type { Json } from './canvas.ts';
import type { CanvasCall, CanvasOutcome } from './reference.ts';

/** A way in which one outcome of a canvas differs from another. */
export type Difference =
  /** Celery's client would not apply the canvas. */
  | 'Refused'
  /** It never ended. */
  | 'NeverEnds'
  /** It succeeded where it should have failed, or failed where it should have succeeded. */
  | 'OtherEnd'
  /** Another value. */
  | 'OtherValue'
  /** A task was called that should not have been, or once too often. */
  | 'ExtraCall'
  /** A task was not called, or not as often as it should have been. */
  | 'MissingCall'
  /** The same calls, with other arguments. */
  | 'OtherArguments'
  /** An errback was told that another task failed. */
  | 'OtherFailureTold'
  /** The tasks were called as they should have been, and ended otherwise. */
  | 'OtherState';

/** How `outcome` differs from `expected`: result, states, and the multiset of calls with their arguments. */
export function differences(outcome: CanvasOutcome, expected: CanvasOutcome): ReadonlySet<Difference> {
  const found = new Set<Difference>();
  if (outcome.state === 'Pending') found.add('NeverEnds');
  else if (outcome.state !== expected.state) found.add('OtherEnd');
  else if (text(outcome.value) !== text(expected.value)) found.add('OtherValue');
  for (const each of callDifferences(outcome.calls, expected.calls)) found.add(each);
  const names = new Set(expected.calls.map(({ at }) => at));
  const wereCalled = new Set(outcome.calls.map(({ at }) => at));
  for (const [at, state] of expected.states) {
    // Of a task that was called by one side only, that is the difference.
    if (names.has(at) === wereCalled.has(at) && outcome.states.get(at) !== state) found.add('OtherState');
  }
  return found;
}

function callDifferences(calls: readonly CanvasCall[], expected: readonly CanvasCall[]): readonly Difference[] {
  const found: Difference[] = [];
  for (const at of new Set([...calls, ...expected].map((each) => each.at))) {
    const own = calls.filter((each) => each.at === at);
    const theirs = expected.filter((each) => each.at === at);
    if (own.length > theirs.length) found.push('ExtraCall');
    if (own.length < theirs.length) found.push('MissingCall');
    if (own.length === 0 || theirs.length === 0) continue;
    if (!isWithin(own.map(argumentsOf), theirs.map(argumentsOf))) found.push('OtherArguments');
    if (!isWithin(own.map(toldOf), theirs.map(toldOf))) found.push('OtherFailureTold');
  }
  return found;
}

function argumentsOf({ args }: CanvasCall): string {
  return text(args);
}

function toldOf({ failed }: CanvasCall): string {
  return text(failed ?? null);
}

/** Of lists of different lengths the shorter lies within the longer one. */
function isWithin(one: readonly string[], other: readonly string[]): boolean {
  const [few, many] = one.length <= other.length ? [one, [...other]] : [other, [...one]];
  return few.every((each) => {
    const at = many.indexOf(each);
    if (at >= 0) many.splice(at, 1);
    return at >= 0;
  });
}

function text(value: Json | readonly Json[]): string {
  return JSON.stringify(value);
}
