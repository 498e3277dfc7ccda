/**
 * A place in the tree of a workflow, as far as time goes: under one parent, what has the lower order has certainly ended
 * before what has the higher one begins; the same order says nothing.
 */
export interface Spot {
  /** Absent: the run. */
  readonly parent?: Spot;
  /** 0 is the run; its root stands at 1. */
  readonly depth: number;
  readonly order: number;
  /** Whether it is what a map runs for every item. */
  readonly isEach: boolean;
}

/** Where something speaks of a step by its name. */
export interface Reference {
  readonly name: string;
  readonly path: string;
  readonly spot: Spot;
}

export const runSpot: Spot = { depth: 0, order: 0, isEach: false };

/** `link` and `linkError` begin when all else within their element has ended. */
export const handlerOrder = Number.POSITIVE_INFINITY;

export function spotWithin(parent: Spot, order: number, isEach = false): Spot {
  return { parent, depth: parent.depth + 1, order, isEach };
}

/**
 * Whether one step has certainly ended when something else begins: it has where a chain puts it first, where it is of a
 * chord's header and the other of its body, and where the other is a handler of it, or of what it is within, or of the
 * run. `InMap`: it has one result for every item of a map, and the other stands outside.
 */
export function relationOf(step: Spot, later: Spot): 'Before' | 'InMap' | 'Uncertain' {
  const orders = ordersAbove(later);
  let isInMap = false;
  // Directly below the step itself stand its members, which end with it, and its handlers.
  let order = Number.MAX_VALUE;
  for (let spot: Spot | undefined = step; spot !== undefined; spot = spot.parent) {
    const laterOrder = orders.get(spot);
    if (laterOrder !== undefined) return isInMap ? 'InMap' : laterOrder > order ? 'Before' : 'Uncertain';
    isInMap ||= spot.isEach;
    order = spot.order;
  }
  return 'Uncertain';
}

/** Of each spot on the way up to the run: the order, below it, of what the way came through. */
function ordersAbove(from: Spot): ReadonlyMap<Spot, number> {
  const orders = new Map<Spot, number>();
  let order = -1;
  for (let spot: Spot | undefined = from; spot !== undefined; spot = spot.parent) {
    orders.set(spot, order);
    order = spot.order;
  }
  return orders;
}
