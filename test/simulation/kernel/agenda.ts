import type { Actor, Deed } from './actor.ts';

/** Something that will happen at a moment of virtual time. */
export interface Happening extends Deed {
  readonly atMs: number;
  /** Decides among those of one moment. */
  readonly tie: number;
  readonly seq: number;
  /** Who does it: not while it is paused, never once it is dead. */
  readonly actor: Actor;
  isOff: boolean;
}

/** What is to come, and what of it comes next. */
export interface Agenda {
  push(happening: Happening): void;
  pop(): Happening | undefined;
}

/** By time, then by chance: a binary heap. */
export class TimedAgenda implements Agenda {
  readonly #heap: Happening[] = [];

  push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(happening);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up]!;
      if (!isBefore(happening, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = happening;
  }

  pop(): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && isBefore(heap[down + 1]!, heap[down]!)) down += 1;
      if (!isBefore(heap[down]!, last)) break;
      heap[at] = heap[down]!;
      at = down;
    }
    heap[at] = last;
    return first;
  }
}

export function isBefore(one: Happening, other: Happening): boolean {
  return one.atMs - other.atMs < 0 || (one.atMs === other.atMs && compareTies(one, other) < 0);
}

function compareTies(one: Happening, other: Happening): number {
  return one.tie - other.tie || one.seq - other.seq;
}
