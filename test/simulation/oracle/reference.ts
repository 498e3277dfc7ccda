import { elements } from '#core/base/json-span.ts';
import {
  everyElement,
  innerOf,
  type Argument,
  type Canvas,
  type Element,
  type FoldedMap,
  type Task,
} from '../canvas/canvas.ts';
import { keyOf, type ExpectedCall, type RecordedEnd, type Reference, type ReferenceState } from './expectation.ts';

export interface ReferenceOptions {
  /** `isNever`: it cannot be called, and fails for that. */
  readonly endOf: (step: number, member: number, isNever: boolean) => RecordedEnd;
  readonly isCancelled: boolean;
  /** Whether the members of a map were found: a cancel may have come before. */
  readonly hasMembers: (step: number) => boolean;
}

interface Where {
  readonly member: number;
  /** What comes in; undefined where nothing does. */
  readonly input: string | undefined;
  /** What comes in is an item whose entries are the arguments. */
  readonly unpacks?: boolean;
  /** What comes in is a chunk of items. */
  readonly items?: readonly string[];
  /** Calls that have ended before; undefined when the element is never to run. */
  readonly after: readonly string[] | undefined;
}

interface Outcome {
  readonly state: ReferenceState;
  /** What follows in a chain gets. */
  readonly value: string;
  /** What stands in a list for it. */
  readonly listed: string;
  readonly called: readonly string[];
}

/**
 * What a canvas means, said as directly as it can be: run it in the head, one element at a time. It shares no code with
 * the engine, and it plans nothing. How each task ended is taken from the record, for chance decided that.
 */
export function referenceOf(canvas: Canvas, options: ReferenceOptions): Reference {
  return new Interpreter(canvas, options).run();
}

const skipped: Outcome = { state: 'Skipped', value: 'null', listed: 'null', called: [] };

class Interpreter {
  readonly #canvas: Canvas;
  readonly #options: ReferenceOptions;
  readonly #steps: ReadonlyMap<Element, number>;
  readonly #calls = new Map<string, ExpectedCall>();
  readonly #states = new Map<string, ReferenceState>();
  readonly #members = new Map<number, number>();
  readonly #named = new Map<string, { readonly element: Element; readonly outcomes: Map<number, Outcome> }>();
  readonly #maps = new Map<Element, FoldedMap>();

  constructor(canvas: Canvas, options: ReferenceOptions) {
    this.#canvas = canvas;
    this.#options = options;
    const all = everyElement(canvas);
    this.#steps = new Map(all.map((element, step) => [element, step]));
    for (const element of all) {
      if (element.name !== undefined) this.#named.set(element.name, { element, outcomes: new Map() });
      if (element.kind === 'map')
        for (const inner of everyElement({ root: element.each, finally: [] })) this.#maps.set(inner, element);
    }
  }

  run(): Reference {
    const root = this.#element(this.#canvas.root, { member: 0, input: undefined, after: [] });
    const everything = [...this.#calls.keys()];
    for (const task of this.#canvas.finally) {
      const where = { member: 0, input: undefined, after: everything };
      this.#noteState(task, 0, this.#call(task, where, { isFinally: true }).state);
    }
    const failed = [...this.#states]
      .filter(([key, state]) => state === 'Failed' && (this.#isMemberTask(key) || this.#hasNoItems(key)))
      .map(([key]) => key);
    const inOrder = failed.sort((a, b) => stepIn(a) - stepIn(b) || memberIn(a) - memberIn(b));
    const value = root.state === 'Succeeded' ? root.value : undefined;
    return { calls: this.#calls, states: this.#states, members: this.#members, value, failed: inOrder };
  }

  #isMemberTask(key: string): boolean {
    const call = this.#calls.get(key);
    return call !== undefined && !call.isFinally && call.failed === undefined && !this.#links.has(key);
  }

  /** A map whose items cannot be told has no task that could have failed: it has failed itself. */
  #hasNoItems(key: string): boolean {
    const step = stepIn(key);
    return [...this.#steps].some(([element, at]) => at === step && element.kind === 'map') && !this.#members.has(step);
  }

  readonly #links = new Set<string>();

  #stepOf(element: Element): number {
    return this.#steps.get(element)!;
  }

  #noteState(element: Element, member: number, state: ReferenceState): void {
    this.#states.set(keyOf(this.#stepOf(element), member), state);
  }

  #element(element: Element, where: Where): Outcome {
    const outcome = this.#outcomeOf(element, where);
    this.#noteState(element, where.member, outcome.state);
    if (element.name !== undefined) this.#named.get(element.name)!.outcomes.set(where.member, outcome);
    this.#handlers(element, where, outcome);
    return outcome;
  }

  #outcomeOf(element: Element, where: Where): Outcome {
    if (where.after === undefined) return this.#skip(element, where);
    if (element.when !== undefined && !this.#holds(element, where)) {
      this.#skip(element, where);
      return { state: 'PassedOver', value: where.input ?? 'null', listed: 'null', called: [] };
    }
    const outcome = this.#inner(element, where);
    if (outcome.state !== 'Failed' || element.continues !== true) return outcome;
    return { ...outcome, state: 'Continued', value: 'null', listed: 'null' };
  }

  /** After a cancel nobody asks a condition any more: whether it was asked before is in the record. */
  #holds(element: Element, { member }: Where): boolean {
    const holds = element.when!.holds((name) => this.#namedState(name, member));
    if (holds || !this.#options.isCancelled) return holds;
    return this.#options.endOf(this.#stepOf(element), member, true).state !== 'PassedOver';
  }

  #namedState(name: string, member: number): string {
    const state = this.#namedOutcome(name, member)?.state ?? 'Skipped';
    return state === 'Continued' ? 'Failed' : state;
  }

  #namedOutcome(name: string, member: number): Outcome | undefined {
    const named = this.#named.get(name)!;
    return named.outcomes.get(this.#maps.has(named.element) ? member : 0);
  }

  #inner(element: Element, where: Where): Outcome {
    switch (element.kind) {
      case 'task':
        return this.#call(element, where, {});
      case 'group':
        return this.#sideBySide(element.members, where);
      case 'chain':
        return this.#oneByOne(element.members, where);
      case 'chord': {
        const header = this.#sideBySide(element.header, where);
        const isOpen = header.state === 'Succeeded';
        const after = isOpen ? [...(where.after ?? []), ...header.called] : undefined;
        const body = this.#element(element.body, { ...where, input: header.value, unpacks: false, after });
        if (!isOpen) return header;
        const state = isDone(body.state) ? 'Succeeded' : body.state;
        return { state, value: body.value, listed: body.value, called: [...header.called, ...body.called] };
      }
      case 'map':
        return this.#map(element, where);
    }
  }

  #map(map: FoldedMap, where: Where): Outcome {
    const step = this.#stepOf(map);
    const items = itemsOf(map, where.input);
    const { isCancelled } = this.#options;
    if (items === undefined) {
      const own = this.#options.endOf(step, where.member, false).state;
      const isFailed = own === 'Failed' || own === 'Continued' || !isCancelled;
      return { ...skipped, state: isFailed ? 'Failed' : 'Cancelled' };
    }
    if (isCancelled && !this.#options.hasMembers(step)) return { ...skipped, state: 'Cancelled' };
    const { chunk, unpack = false } = map;
    if (chunk !== undefined) return this.#chunked(map, { where, chunks: chunksOf(items, chunk) });
    this.#members.set(step, items.length);
    return this.#folded(
      items.map((item, member) => this.#element(map.each, { ...where, member, input: item, unpacks: unpack })),
    );
  }

  /** Each chunk is a member, and its value a list; the map's is all of them as one. */
  #chunked(map: FoldedMap, { where, chunks }: { where: Where; chunks: readonly (readonly string[])[] }): Outcome {
    this.#members.set(this.#stepOf(map), chunks.length);
    const outcomes = chunks.map((items, member) => {
      const outcome = this.#element(map.each, { ...where, member, input: undefined, items });
      return outcome.state === 'Succeeded' ? { ...outcome, listed: outcome.value.trim().slice(1, -1) } : outcome;
    });
    return this.#folded(outcomes.map((each) => ({ ...each, listed: each.listed.trim() })));
  }

  #sideBySide(members: readonly Element[], where: Where): Outcome {
    return this.#folded(members.map((member) => this.#element(member, where)));
  }

  #folded(outcomes: readonly Outcome[]): Outcome {
    const list = `[${outcomes.map(({ listed }) => listed).join(', ')}]`;
    const called = outcomes.flatMap((each) => each.called);
    const worst = outcomes.reduce<ReferenceState>(
      (so, { state }) => (weights[state] > weights[so] ? state : so),
      'Succeeded',
    );
    return { state: worst, value: list, listed: list, called };
  }

  #oneByOne(members: readonly Element[], where: Where): Outcome {
    const empty = where.input ?? 'null';
    let so: Outcome = { state: 'Succeeded', value: empty, listed: empty, called: [] };
    let input = where.input;
    let verdict: ReferenceState | undefined;
    for (const [nth, member] of members.entries()) {
      const after = verdict === undefined ? [...(where.after ?? []), ...so.called] : undefined;
      const unpacks = where.unpacks === true && nth === 0;
      const outcome = this.#element(member, { ...where, input, unpacks, after });
      input = outcome.value;
      so = {
        state: 'Succeeded',
        value: outcome.value,
        listed: outcome.value,
        called: [...so.called, ...outcome.called],
      };
      if (!isDone(outcome.state)) verdict ??= outcome.state;
    }
    return verdict === undefined ? so : { ...so, state: verdict };
  }

  /** Nothing within runs, nor do its handlers. */
  #skip(element: Element, where: Where): Outcome {
    if (element.kind !== 'map') {
      for (const inner of innerOf(element)) this.#element(inner, { ...where, after: undefined });
    }
    return skipped;
  }

  #handlers(element: Element, where: Where, outcome: Outcome): void {
    const { member, after = [] } = where;
    const told = { member, after: [...after, ...outcome.called] };
    for (const task of element.link) {
      if (outcome.state !== 'Succeeded') this.#noteState(task, member, 'Skipped');
      else {
        this.#noteState(task, member, this.#call(task, { ...told, input: outcome.value }, {}).state);
        this.#links.add(keyOf(this.#stepOf(task), member));
      }
    }
    for (const task of element.linkError) {
      const failed = isTold(outcome.state) ? this.#failedWithin(element, member) : undefined;
      if (failed === undefined) this.#noteState(task, member, 'Skipped');
      else this.#noteState(task, member, this.#call(task, { ...told, input: undefined }, { failed }).state);
    }
  }

  #call(task: Task, where: Where, as: Partial<Pick<ExpectedCall, 'failed' | 'isFinally'>>): Outcome {
    const step = this.#stepOf(task);
    const incoming = incomingArgs(task, where);
    const own = this.#options.endOf(step, where.member, incoming === undefined);
    const key = keyOf(step, where.member);
    const isCertain = hasRun(own);
    this.#calls.set(key, {
      ...{ task: task.task, step, member: where.member, after: where.after ?? [], isCertain, isFinally: false },
      ...(incoming === undefined ? uncallable : this.#arguments(task, where, incoming)),
      ...as,
    });
    if (incoming === undefined) return { ...skipped, state: own.state === 'Cancelled' ? 'Cancelled' : 'Failed' };
    const state = own.state === 'Lost' ? 'Failed' : own.state === 'Open' ? 'Cancelled' : own.state;
    const value = state === 'Succeeded' ? own.text : 'null';
    return { state, value, listed: value, called: [key] };
  }

  #arguments(
    task: Task,
    { member, items }: Where,
    incoming: readonly string[],
  ): Pick<ExpectedCall, 'args' | 'kwargs' | 'items'> {
    const args = task.args.map((argument) => this.#argument(argument, member));
    const kwargs = this.#argument(task.kwargs, member);
    return { args: [...incoming, ...args], kwargs, ...(items === undefined ? {} : { items }) };
  }

  #argument(argument: Argument, member: number): string {
    if (typeof argument === 'string') return argument;
    const { name, before = '', after = '' } = argument;
    const outcome = this.#namedOutcome(name, member);
    return `${before}${outcome !== undefined && isDone(outcome.state) ? outcome.value : 'null'}${after}`;
  }

  /** The first task, as written, that failed; else the first that was cancelled; else the element itself. */
  #failedWithin(element: Element, member: number): NonNullable<ExpectedCall['failed']> {
    const itself = { step: this.#stepOf(element), member };
    return this.#firstIn(element, member, 'Failed') ?? this.#firstIn(element, member, 'Cancelled') ?? itself;
  }

  /** In an element that is known to have failed or to be cancelled, itself or within. */
  #firstIn(element: Element, member: number, wanted: 'Failed' | 'Cancelled'): ExpectedCall['failed'] {
    const step = this.#stepOf(element);
    const state = this.#states.get(keyOf(step, member)) ?? 'Skipped';
    if (element.kind === 'task' || !this.#isUnfolded(element, state)) {
      return (state === 'Cancelled') === (wanted === 'Cancelled') ? { step, member } : undefined;
    }
    for (const [inner, of] of this.#within(element, member)) {
      const found = this.#firstOf(inner, of, wanted);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The same of a member: one whose failure does not count is not why its element failed. */
  #firstOf(element: Element, member: number, wanted: 'Failed' | 'Cancelled'): ExpectedCall['failed'] {
    const state = this.#states.get(keyOf(this.#stepOf(element), member)) ?? 'Skipped';
    if (state !== wanted && !(wanted === 'Cancelled' && state === 'Failed')) return undefined;
    return this.#firstIn(element, member, wanted);
  }

  /** A map that failed before it began has nothing within. */
  #isUnfolded(element: Element, state: ReferenceState): boolean {
    return element.kind !== 'map' || this.#members.has(this.#stepOf(element)) || state === 'Cancelled';
  }

  /** Elements directly within, a map's once for each item. */
  #within(element: Element, member: number): readonly (readonly [Element, number])[] {
    if (element.kind !== 'map') return innerOf(element).map((inner) => [inner, member] as const);
    const items = this.#members.get(this.#stepOf(element)) ?? 0;
    return Array.from({ length: items }, (_, item) => [element.each, item] as const);
  }
}

function itemsOf({ over }: FoldedMap, input: string | undefined): readonly string[] | undefined {
  if (over === 'input') return elements(input ?? '');
  return typeof over === 'number' ? Array.from({ length: over }, (_, item) => String(item)) : over;
}

function chunksOf(items: readonly string[], size: number): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, nth) => items.slice(nth * size, (nth + 1) * size));
}

/** What comes in, as arguments; undefined where it is to be unpacked and is no list. */
function incomingArgs({ immutable }: Task, { input, unpacks }: Where): readonly string[] | undefined {
  if (input === undefined || immutable) return [];
  return unpacks === true ? elements(input) : [input];
}

/** Its errback is told of a call without arguments. */
const uncallable = { args: [], kwargs: '{}', isCertain: false, isNever: true } as const;

const weights: Readonly<Record<ReferenceState, number>> = {
  Succeeded: 0,
  PassedOver: 0,
  Continued: 0,
  Skipped: 1,
  Cancelled: 2,
  Failed: 3,
};

function isDone(state: ReferenceState): boolean {
  return state === 'Succeeded' || state === 'PassedOver' || state === 'Continued';
}

/** Its end is one that only its body can have made. */
function hasRun({ state, text }: RecordedEnd): boolean {
  const isEnd = state === 'Succeeded' || state === 'Failed' || state === 'Continued';
  return isEnd && !text.includes('"exc_module":"arpeggio"');
}

function isTold(state: ReferenceState): boolean {
  return state === 'Failed' || state === 'Continued' || state === 'Cancelled';
}

function stepIn(key: string): number {
  return Number(key.slice(0, key.indexOf('/')));
}

function memberIn(key: string): number {
  return Number(key.slice(key.indexOf('/') + 1));
}
