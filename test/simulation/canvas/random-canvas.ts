import type { Chance } from '../kernel/chance.ts';
import { retryQueue } from '../queues.ts';
import type { Argument, Canvas, Element, FoldedMap, Retry, Task, When } from './canvas.ts';

/** Texts that a careless copy would change. None holds a space, so that they stand alike in a spec and in a message. */
const values = ['1.0', '-0', '1e400', '12345678901234567890', '"ü\\u0000😀"', '{"b":[1.50],"a":null}', 'true', '[]'];

/** What no log, event or status may ever hold, as long as nobody asked to see results. */
export const canary = 'c4n4ry';

export interface CanvasSize {
  readonly depth: number;
  readonly width: number;
  /** Tasks in all, handlers and `finally` aside; a bound, not a promise. */
  readonly tasks: number;
  /** How likely a task fails at each attempt. */
  readonly failing: number;
  readonly handlers: number;
  /** How likely an element has a name, a condition, `onFailure: Continue`, a countdown, a retry. */
  readonly named: number;
  readonly conditions: number;
  readonly continues: number;
  readonly timers: number;
  /** How likely a retry names a queue of its own. */
  readonly escalated: number;
  /** How likely a task may not wait, run or retry for ever: `expires`, `waitLimit`, `timeLimit`, Celery's own retry. */
  readonly bounds: number;
  readonly maps: number;
  /** Items of a map beside all else, wider than a window; 0 for none. */
  readonly wide: number;
  /** Of every task; absent: none is said. */
  readonly priority?: number;
}

/** A canvas by chance alone. */
export function randomCanvas(chance: Chance, size: CanvasSize): Canvas {
  const draft = new Draft(chance, size);
  const root = draft.root();
  const last = Array.from({ length: chance.happens(size.handlers) ? chance.between(1, 2) : 0 }, () => draft.task([]));
  const maxParallel = chance.happens(0.15) ? { maxParallel: chance.between(1, 2) } : {};
  return { root, finally: last, ...maxParallel, ...priorityOf(size) };
}

/** Where an element stands: what may be named in it, and whether a map may stand in it. */
interface Place {
  readonly depth: number;
  readonly names: readonly string[];
  readonly inMap: boolean;
  /** A result comes in, that a map may take its items from. */
  readonly hasInput: boolean;
}

class Draft {
  readonly #chance: Chance;
  readonly #size: CanvasSize;
  #tasks = 0;
  #names = 0;
  #left: number;

  constructor(chance: Chance, size: CanvasSize) {
    this.#chance = chance;
    this.#size = size;
    this.#left = size.tasks;
  }

  root(): Element {
    const place = { depth: this.#size.depth, names: [], inMap: false, hasInput: false };
    const { wide } = this.#size;
    return { ...(wide > 0 ? this.#withWideMap(this.#inner(place)) : this.#inner(place)), ...this.#handlers([]) };
  }

  #withWideMap(element: Element): Element {
    const bare = { link: [], linkError: [] };
    const each = { ...this.task([]), immutable: false, ...this.#failingAtFirst() };
    return {
      kind: 'group',
      members: [element, { kind: 'map', each, over: this.#size.wide, isBare: true, ...bare }],
      ...bare,
    };
  }

  task(names: readonly string[]): Task {
    const chance = this.#chance;
    const { failing } = this.#size;
    return {
      kind: 'task',
      task: `t${(this.#tasks += 1)}`,
      args: Array.from({ length: chance.between(0, 2) }, () => this.#argument(names)),
      kwargs: this.#kwargs(names),
      immutable: chance.happens(0.3),
      ...priorityOf(this.#size),
      outcomes: Array.from({ length: chance.between(1, 3) }, () => (chance.happens(failing) ? 'fails' : 'succeeds')),
      result: chance.pick(values),
      ...this.#times(),
      ...this.#bounds(),
      link: [],
      linkError: [],
    };
  }

  #kwargs(names: readonly string[]): Argument {
    const chance = this.#chance;
    if (names.length > 0 && chance.happens(0.1))
      return { name: chance.pick(names), before: '{"k":{"deep":[', after: ']}}' };
    return chance.happens(0.2) ? `{"k":${this.#value()}}` : '{}';
  }

  #times(): Pick<Task, 'countdownMs' | 'etaMs' | 'retry'> {
    const chance = this.#chance;
    const { timers } = this.#size;
    const begin = chance.happens(timers) ? chance.weighed({ countdown: 2, eta: 1 }) : undefined;
    return {
      ...(begin === 'countdown' ? { countdownMs: chance.pick([10, 250, 3_000]) } : {}),
      ...(begin === 'eta' ? { etaMs: chance.pick([5, 700, 6_000]) + chance.between(0, 999) } : {}),
      ...(chance.happens(timers)
        ? {
            retry: {
              maxRetries: chance.between(0, 2),
              backoffMs: chance.pick([10, 400]),
              jitter: chance.happens(0.7),
              ...this.#escalation(),
            },
          }
        : {}),
    };
  }

  #escalation(): Pick<Retry, 'escalateTo'> {
    const { escalated } = this.#size;
    return escalated > 0 && this.#chance.happens(escalated) ? { escalateTo: retryQueue } : {};
  }

  /** Where retries have a queue of their own all items of the wide map go there, at about the same time. */
  #failingAtFirst(): Partial<Task> {
    if (this.#size.escalated === 0) return {};
    const retry = { maxRetries: 1, backoffMs: this.#chance.pick([10, 400]), jitter: true, escalateTo: retryQueue };
    return { outcomes: ['fails', this.#chance.happens(0.9) ? 'succeeds' : 'fails'], retry };
  }

  #bounds(): Pick<Task, 'expires' | 'waitLimitMs' | 'timeLimitMs' | 'ownRetries'> {
    const chance = this.#chance;
    const { bounds } = this.#size;
    const ms = (): number => chance.pick([20, 500, 5_000]) + chance.between(0, 99);
    return {
      ...(chance.happens(bounds) ? { expires: chance.happens(0.7) ? { afterMs: ms() } : { atMs: ms() } } : {}),
      ...(chance.happens(bounds) ? { waitLimitMs: ms() } : {}),
      ...(chance.happens(bounds) ? { timeLimitMs: ms() } : {}),
      ...(chance.happens(bounds) ? { ownRetries: chance.between(1, 2) } : {}),
    };
  }

  /** Any element but the root. */
  #element(place: Place): Element {
    const chance = this.#chance;
    const { named, conditions, continues } = this.#size;
    const when = chance.happens(conditions) ? this.#when(place.names) : undefined;
    return {
      ...this.#inner(place),
      ...(chance.happens(named) ? { name: `n${(this.#names += 1)}` } : {}),
      ...(when === undefined ? {} : { when }),
      ...(chance.happens(continues) ? { continues: true } : {}),
      ...this.#handlers(place.names),
    };
  }

  #inner(place: Place): Element {
    const chance = this.#chance;
    const bare = { link: [], linkError: [] };
    const deeper = { ...place, depth: place.depth - 1 };
    const maps = place.inMap ? 0 : this.#size.maps;
    const isLeaf = place.depth <= 1 || this.#left <= 1;
    const kind = isLeaf ? 'task' : chance.weighed({ task: 3, chain: 3, group: 3, chord: 2, map: maps });
    switch (kind) {
      case 'task':
        this.#left -= 1;
        return this.task(place.names);
      case 'chain':
        return { kind, members: this.#chain(deeper), ...bare };
      case 'group':
        return { kind, members: this.#members(deeper, 0), ...bare };
      case 'chord': {
        const header = this.#members(deeper, 0);
        const names = [...place.names, ...namesOf(header)];
        return { kind, header, body: this.#element({ ...deeper, names, hasInput: true }), ...bare };
      }
      case 'map':
        return this.#map(deeper);
    }
  }

  #map(place: Place): FoldedMap {
    const chance = this.#chance;
    const source = chance.weighed({ list: 2, range: 2, input: place.hasInput ? 3 : 0 });
    const isBare = chance.happens(0.4);
    const chunk = isBare && chance.happens(0.4) ? chance.between(1, 3) : undefined;
    const unpack = source !== 'range' && chance.happens(0.25);
    const bare = { immutable: false, ...(chunk === undefined ? {} : { args: [], kwargs: '{}' }) };
    const each = isBare
      ? { ...this.task(place.names), ...bare }
      : this.#element({ ...place, inMap: true, hasInput: true });
    this.#left -= 1;
    return {
      kind: 'map',
      each,
      over: this.#over(source, unpack),
      ...{ isBare, unpack, link: [], linkError: [] },
      ...(chunk === undefined ? {} : { chunk }),
    };
  }

  #over(source: 'list' | 'range' | 'input', unpack: boolean): FoldedMap['over'] {
    const chance = this.#chance;
    if (source === 'input') return 'input';
    if (source === 'range') return chance.between(0, 3);
    const some = (): string[] => Array.from({ length: chance.between(0, 3) }, () => this.#value());
    return unpack ? some().map(() => `[${some().join(',')}]`) : some();
  }

  #chain(place: Place): readonly Element[] {
    const members: Element[] = [];
    for (let i = this.#count(1); i > 0; i -= 1) {
      const hasInput = place.hasInput || members.length > 0;
      members.push(this.#element({ ...place, names: [...place.names, ...namesOf(members)], hasInput }));
    }
    return members;
  }

  #members(place: Place, least: number): readonly Element[] {
    return Array.from({ length: this.#count(least) }, () => this.#element(place));
  }

  #count(least: number): number {
    return this.#chance.between(least, Math.max(least, Math.min(this.#size.width, this.#left)));
  }

  #argument(names: readonly string[]): Argument {
    const chance = this.#chance;
    if (names.length === 0 || !chance.happens(0.3)) return this.#value();
    const name = chance.pick(names);
    return chance.happens(0.7) ? { name } : { name, before: '[1.0,', after: ']' };
  }

  #value(): string {
    return this.#chance.happens(0.5) ? this.#chance.pick(values) : `"${canary}-arg"`;
  }

  #when(names: readonly string[]): When {
    const chance = this.#chance;
    if (names.length === 0 || chance.happens(0.4)) {
      const holds = chance.happens(0.5);
      return { text: String(holds), holds: () => holds };
    }
    const name = chance.pick(names);
    const state = chance.pick(['Succeeded', 'Failed', 'PassedOver']);
    const isSame = chance.happens(0.5);
    const text = `steps.${name}.state ${isSame ? '==' : '!='} "${state}"`;
    return { text, holds: (stateOf) => (stateOf(name) === state) === isSame };
  }

  #handlers(names: readonly string[]): { readonly link: readonly Task[]; readonly linkError: readonly Task[] } {
    const some = (): readonly Task[] =>
      this.#chance.happens(this.#size.handlers)
        ? Array.from({ length: this.#chance.between(1, 2) }, () => this.task(names))
        : [];
    return { link: some(), linkError: some() };
  }
}

function priorityOf({ priority }: CanvasSize): { readonly priority?: number } {
  return priority === undefined ? {} : { priority };
}

/** Names of these elements themselves: what stands within them may not have begun. */
function namesOf(elements: readonly Element[]): readonly string[] {
  return elements.flatMap(({ name }) => name ?? []);
}
