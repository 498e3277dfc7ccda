import { limits } from '#core/base/limits.ts';
import { celeryPriority } from '#core/celery/celery-priority.ts';
import { countsFromDue } from '#core/workflow/counts-from-due.ts';
import type { Dispatch, Publish, Recorded } from '#core/workflow/advance.ts';
import { callOf, type DueCall, type RunOutcome } from '#core/workflow/call.ts';
import { failedAs } from '#core/workflow/element-state.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import { encodeFailure, type Failure } from '#core/workflow/failure.ts';
import { messageFor, type RunIdentity, type StoredFailure } from '#core/workflow/message.ts';
import { readSlot } from '#core/workflow/slots.ts';
import { slotToRunAgain } from '#core/workflow/run-again.ts';
import { failureOfValue } from '#core/workflow/value-failure.ts';
import type { Route } from './route.ts';
import type { DueAttempt } from './wishes.ts';

/** What is to be done about the due attempts of a run that may be published. */
export interface Publications {
  readonly publishes: readonly Publish[];
  /** Attempts that cannot be made at all: they fail. Of those that wait for a route: since when. */
  readonly records: readonly Recorded[];
  /** What must stand in the result store before the publishes are made. */
  readonly prerequisites: readonly StoredFailure[];
  /** Attempts of the given that are not published: they failed, have to wait, or are too much for one call. */
  readonly unpublished: ReadonlySet<DueAttempt>;
  /** Slots of tasks whose results the unpublished need, and that are gone. */
  readonly runAgain: ReadonlySet<number>;
}

export interface PublicationContext {
  readonly identity: RunIdentity;
  readonly view: RunView;
  readonly outcome: () => RunOutcome;
  readonly newTag: () => string;
  /** By the clock of the run's Redis. */
  readonly nowMs: number;
  /** The same, since the run began. */
  readonly nowTicks: number;
}

/**
 * Builds the messages of these attempts, as many as one call of the deciding script takes; `stranded` are slots of what is
 * due and has no route.
 */
export function publicationsOf(
  context: PublicationContext,
  attempts: readonly DueAttempt[],
  stranded: readonly number[],
): Publications {
  const publishes: Publish[] = [];
  const records = stranded.map((at) => dueSince(context, at));
  const prerequisites: StoredFailure[] = [];
  const unpublished = new Set<DueAttempt>();
  const runAgain = new Set<number>();
  let length = 0;
  for (const attempt of attempts) {
    const built = length < limits.publishedBytesPerCall ? publicationOf(context, attempt) : 'Later';
    if (built !== 'Later' && 'publish' in built) {
      publishes.push(built.publish);
      if (built.prerequisite !== undefined) prerequisites.push(built.prerequisite);
      length += lengthOf(built.publish);
      continue;
    }
    unpublished.add(attempt);
    if (built === 'Later') continue;
    if ('runAgain' in built) runAgain.add(built.runAgain);
    else records.push(built);
  }
  return { publishes, records, prerequisites, unpublished, runAgain };
}

/** Nearly its bytes, for messages are ASCII for the most part. */
function lengthOf({ dispatch }: Publish): number {
  return dispatch.by === 'Push' ? dispatch.message.length : dispatch.entry.length;
}

function dueSince({ view: { state }, nowTicks: atTicks }: PublicationContext, at: number): Recorded {
  return { at, slot: { ...readSlot(state.slots, at), state: 'Scheduled', atTicks } };
}

type Failed = Recorded & Required<Pick<Recorded, 'keep'>>;
type Waiting = { readonly runAgain: number };
type Published = { readonly publish: Publish } & Partial<{ readonly prerequisite: StoredFailure }>;

function publicationOf(
  context: PublicationContext,
  { at, step, member, route }: DueAttempt,
): Failed | Waiting | Published {
  const { identity, view, outcome, nowMs, nowTicks } = context;
  const { state } = view;
  const before = readSlot(state.slots, at);
  const keepsDue = before.state === 'Scheduled' && countsFromDue(step);
  const slot = { ...before, atTicks: keepsDue ? before.atTicks : nowTicks };
  const called = attempted(view, () => callOf(view, step, member, outcome));
  if ('runAgain' in called) return called;
  if ('failure' in called) {
    return { at, slot: { ...slot, state: failedAs(step) }, keep: encodeFailure(called.failure) };
  }
  const { queue, carriesErrbacks } = route;
  const form = { queue, carriesErrbacks, deliveryTag: context.newTag() };
  const due = { step, member, call: called.call, nowMs };
  const { message, carried, prerequisite } = messageFor(identity, view, due, form);
  const publish: Publish = {
    at,
    slot: { ...slot, state: 'Published', carried },
    dispatch: dispatchTo(route, celeryPriority(step.priority), message),
    isCleanUp: step.role !== 'Member',
  };
  return prerequisite === undefined ? { publish } : { publish, prerequisite };
}

function attempted(
  { plan, state }: RunView,
  build: () => DueCall,
): Waiting | { readonly call: DueCall } | { readonly failure: Failure } {
  try {
    return { call: build() };
  } catch (error) {
    const runAgain = slotToRunAgain(plan, state, error);
    if (runAgain !== undefined) return { runAgain };
    const failure = failureOfValue(error);
    if (failure === undefined) throw error;
    return { failure };
  }
}

function dispatchTo({ place, list, bell }: Route, priority: number, message: string): Dispatch {
  const key = list(priority);
  if ('db' in place) return { by: 'Push', db: place.db, list: key, bell, message };
  return { by: 'Outbox', entry: JSON.stringify({ broker: place.broker, list: key, bell, message }) };
}
