import { encodeResultMeta, type ResultMeta } from '#core/celery/result-meta.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import type { TaskMessage } from '#core/celery/task-message.ts';
import type { Leavings } from '#core/execution/settle.ts';
import type { SettleContext } from '#core/execution/settle-context.ts';
import type { Delivery, Publication, Settlement } from '#io/brokers/broker.ts';
import { reportChordPart } from './chord-report.ts';
import { persist } from './persist.ts';
import type { Settler } from './settler.ts';
import type { WorkerPorts } from './worker-ports.ts';

export interface PerformPorts extends Pick<WorkerPorts, 'results' | 'chords' | 'log' | 'after'> {
  readonly settler: Settler;
}

/** Performs what `settle` decided. The message is let go last: a crash in between gives it to another worker. */
export async function perform(
  delivery: Delivery,
  message: TaskMessage,
  leavings: Leavings,
  { ports, context }: { readonly ports: PerformPorts; readonly context: SettleContext },
): Promise<void> {
  const { chordSizes, chordPart } = leavings;
  for (const [groupId, members] of chordSizes) {
    await persist(ports, () => ports.chords.expect(groupId, members));
  }
  const settlement = settlementOf(delivery, leavings);
  if (chordPart === undefined) return ports.settler.settle(settlement);
  await ports.settler.settle({ ...settlement, tag: undefined });
  const { leavings: body, finish } = await persist(ports, () =>
    reportChordPart(message, chordPart, { ports, context }),
  );
  await ports.settler.settle({ ...settlementOf(delivery, body), tag: undefined });
  await persist(ports, finish);
  await ports.settler.settle({ publications: [], results: [], deadLetters: [], tag: delivery.tag });
}

export function settlementOf(delivery: Delivery, { publish, store, deadLetter }: Leavings): Settlement {
  return {
    publications: publish.map(publicationOf),
    results: store.map(writeOf),
    deadLetters: deadLetter === undefined ? [] : [{ queue: delivery.queue, text: delivery.text, ...deadLetter }],
    tag: delivery.tag,
  };
}

function publicationOf(draft: Leavings['publish'][number]): Publication {
  return { queue: draft.queue, priority: draft.priority ?? 0, text: encodeTaskMessage(draft) };
}

function writeOf(meta: ResultMeta): { readonly id: string; readonly text: string } {
  return { id: meta.id, text: encodeResultMeta(meta) };
}
