import type { Plan, PlanStep, TaskStep } from '#core/canvas/plan.ts';
import type { Dispatch, Publish } from '#core/workflow/advance.ts';
import { ArgumentsTooLarge, callOf, type DueCall, type RunOutcome, type RunView } from '#core/workflow/call.ts';
import { encodeFailure, engineFailure } from '#core/workflow/failure.ts';
import { messageFor, type RunIdentity, type StoredFailure } from '#core/workflow/message.ts';
import type { Recorded } from '#core/workflow/record.ts';
import { readSlot } from '#core/workflow/slots.ts';
import { ResultLost } from '#core/workflow/value.ts';
import { isRoute, type NoRoute, type Route, type Router } from './route.ts';

/** A due step that waits, and why. */
export interface Blocked extends NoRoute {
  readonly step: number;
}

/** What is to be done about the due steps of a run. */
export interface Publications {
  readonly publishes: readonly Publish[];
  /** Steps that cannot be called at all: they fail. */
  readonly records: readonly Recorded[];
  /** What must stand in the result store before the publishes are made. */
  readonly prerequisites: readonly StoredFailure[];
  readonly blocked?: Blocked;
}

export interface PublicationContext {
  readonly identity: RunIdentity;
  readonly view: RunView;
  readonly outcome: () => RunOutcome;
  readonly router: Router;
  readonly newTag: () => string;
  readonly nowSeconds: number;
  readonly most: number;
}

/** Builds the messages of what is due, in order, at most `most`. */
export function publicationsOf(context: PublicationContext): Publications {
  const { view, most } = context;
  const routes = new Map<string, Route | NoRoute>();
  const publishes: Publish[] = [];
  const records: Recorded[] = [];
  const prerequisites: StoredFailure[] = [];
  let blocked: Blocked | undefined;
  for (const index of view.evaluation.due) {
    if (publishes.length >= most) break;
    const step = taskAt(view.plan, index);
    const route = routeOf(context, routes, step);
    if (!isRoute(route)) {
      blocked ??= { step: index, ...route };
      continue;
    }
    const built = publicationOf(context, step, route);
    if ('keep' in built) records.push(built);
    else publishes.push(built.publish);
    if ('publish' in built && built.prerequisite !== undefined) prerequisites.push(built.prerequisite);
  }
  return { publishes, records, prerequisites, ...(blocked === undefined ? {} : { blocked }) };
}

function taskAt(plan: Plan, index: number): TaskStep {
  const step: PlanStep | undefined = plan.steps[index];
  if (step?.kind !== 'Task') throw new RangeError(`step ${index} is due and is no task`);
  return step;
}

function routeOf(context: PublicationContext, known: Map<string, Route | NoRoute>, step: TaskStep): Route | NoRoute {
  const key = `${step.queue ?? ''}/${step.task}`;
  const found = known.get(key) ?? context.router(step.task, step.queue);
  known.set(key, found);
  return found;
}

type Failed = Recorded & Required<Pick<Recorded, 'keep'>>;
type Published = { readonly publish: Publish } & Partial<{ readonly prerequisite: StoredFailure }>;

function publicationOf(context: PublicationContext, step: TaskStep, route: Route): Failed | Published {
  const { identity, view, outcome, nowSeconds } = context;
  const slot = { ...readSlot(view.state.slots, step.index), atSeconds: nowSeconds };
  const called = attempted(() => callOf(view, step, outcome));
  if ('failure' in called) {
    return { step: step.index, slot: { ...slot, state: 'Failed' }, keep: encodeFailure(called.failure) };
  }
  const due = { step, call: called.call, slots: view.state.slots };
  const { queue, carriesErrbacks } = route;
  const { message, carried, prerequisite } = messageFor(identity, view.plan, due, {
    queue,
    carriesErrbacks,
    deliveryTag: context.newTag(),
  });
  const publish: Publish = {
    step: step.index,
    slot: { ...slot, state: 'Published', carried },
    dispatch: dispatchTo(route, message),
    isCleanUp: step.role !== 'Member',
  };
  return prerequisite === undefined ? { publish } : { publish, prerequisite };
}

function attempted(
  build: () => DueCall,
): { readonly call: DueCall } | { readonly failure: ReturnType<typeof engineFailure> } {
  try {
    return { call: build() };
  } catch (error) {
    if (error instanceof ResultLost) return { failure: engineFailure('ResultLost', error.message) };
    if (error instanceof ArgumentsTooLarge) return { failure: engineFailure('ResultTooLarge', error.message) };
    throw error;
  }
}

function dispatchTo(route: Route, message: string): Dispatch {
  const { place, list, bell } = route;
  if ('db' in place) return { by: 'Push', db: place.db, list, bell, message };
  return { by: 'Outbox', entry: JSON.stringify({ broker: place.broker, list, bell, message }) };
}
