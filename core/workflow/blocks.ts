import type { Admission } from './admission.ts';
import type { DueTasks } from './due-tasks.ts';
import type { ElementState, Fold } from './element-state.ts';
import { Stretches } from './stretches.ts';

/** What a look at members that stand side by side came to. */
export interface Block {
  readonly fold: Fold;
  /** Absent: none. */
  readonly due?: DueTasks;
  readonly openHandlers: number;
  readonly admission: Admission;
  readonly isCancelled: boolean;
  /** It holds from this tick on, and before the next is due. */
  readonly sinceTicks: number;
  readonly nextDueTicks: number | undefined;
}

/** When what is due or in flight in a stretch has waited or run for as long as it may. */
export interface Bounds {
  readonly isCancelled: boolean;
  /** It holds from this tick on, and before `againTicks`. */
  readonly sinceTicks: number;
  readonly againTicks: number;
  /** Infinity: nothing there is bounded. */
  readonly nextTicks: number;
}

const usualMembers = 256;

/**
 * What was made of stretches of a wide run's slots, for as long as none of these slots changes: a turn then costs what
 * changed and what is due, not what there is. Belongs to one array of slots; whoever writes to that says so by `touch`.
 */
export class Blocks {
  /** Members of an element that are looked at together. */
  readonly members: number;
  readonly evaluated = new Stretches<Block>(this);
  readonly bounds = new Stretches<Bounds>(this);
  /** By page, which is as many slots as a block has members: the change that was the last there. */
  readonly #touched: number[] = [];
  #changes = 0;
  #states: ElementState[] = [];

  constructor(members = usualMembers) {
    this.members = members;
  }

  get changes(): number {
    return this.#changes;
  }

  /** A slot was written to. */
  touch(at: number): void {
    this.#changes += 1;
    this.#touched[this.#pageOf(at)] = this.#changes;
  }

  /** Whether no slot of these was written to since so many changes. */
  isUntouched(from: number, to: number, since: number): boolean {
    const last = this.#pageOf(to - 1);
    for (let page = this.#pageOf(from); page <= last; page += 1) if ((this.#touched[page] ?? 0) > since) return false;
    return true;
  }

  /** States by slot as they were evaluated last, to be written to; when there are other slots now, anew. */
  statesOf(slots: number): ElementState[] {
    if (this.#states.length === slots) return this.#states;
    this.#states = new Array<ElementState>(slots);
    this.evaluated.clear();
    this.bounds.clear();
    return this.#states;
  }

  #pageOf(at: number): number {
    return Math.floor(at / this.members);
  }
}
