/** kombu's `priority_steps`: on Redis a queue is four lists, and 0 is the most urgent. */
export const prioritySteps = [0, 3, 6, 9] as const;

/** kombu's `sep`, between a queue's name and its step. */
export const prioritySeparator = '\x06\x16';

/** The Redis list for a message of this priority; out of range is taken as the nearest, as kombu does. */
export function queueKey(queue: string, priority: number): string {
  const step = prioritySteps.findLast((each) => each <= priority) ?? 0;
  return step === 0 ? queue : `${queue}${prioritySeparator}${step}`;
}

/** All four lists of a queue, most urgent first. */
export function queueKeys(queue: string): string[] {
  return prioritySteps.map((step) => queueKey(queue, step));
}
