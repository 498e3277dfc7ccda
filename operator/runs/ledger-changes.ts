import type { AdvanceRequest } from '#core/workflow/advance.ts';
import type { DueAttempt, Wishes } from './wishes.ts';

/** What is due and held back, by queue, where that is another number than was written last. */
export function ledgerChanges(
  written: ReadonlyMap<string, number>,
  { counts }: Wishes,
  published: readonly DueAttempt[],
): AdvanceRequest['ledger'] {
  const held = new Map([...written.keys()].map((queue) => [queue, 0]));
  for (const [queue, ofQueue] of counts) {
    held.set(
      queue,
      [...ofQueue.values()].reduce((sum, each) => sum + each, 0),
    );
  }
  for (const { route } of published) held.set(route.queue, (held.get(route.queue) ?? 0) - 1);
  return [...held]
    .filter(([queue, count]) => count !== (written.get(queue) ?? 0))
    .map(([queue, count]) => ({ queue, held: count }));
}
