/** Ours: 0 to 9, 9 the most urgent, on every broker. */
const MOST_URGENT = 9;

/**
 * The number that a message carries on Redis, where 0 is the most urgent. Without a priority it is 0, as Celery sends
 * messages that have none: such a message is served with the most urgent.
 */
export function celeryPriority(priority: number | undefined): number {
  return priority === undefined ? 0 : MOST_URGENT - Math.min(Math.max(Math.trunc(priority), 0), MOST_URGENT);
}
