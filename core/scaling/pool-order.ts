/** What makes one pool come before another when work is divided. */
export interface OrderedPool {
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly isFixed: boolean;
  readonly queueCount: number;
}

/**
 * Work goes first to pools whose pods are there anyway, then to those that serve fewer queues and so can do nothing else,
 * then to the older. The order is total, so that every operator divides alike.
 */
export function comparePools(one: OrderedPool, other: OrderedPool): number {
  return (
    Number(other.isFixed) - Number(one.isFixed) ||
    one.queueCount - other.queueCount ||
    compareText(one.createdAt, other.createdAt) ||
    compareText(one.name, other.name)
  );
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
