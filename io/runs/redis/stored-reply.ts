import type { JsonText } from '#core/base/json-text.ts';
import type { StoredRun } from '#core/workflow/advance.ts';

/** Reads head, slots, kept and outbox as the scripts reply them; undefined where there is no head. */
export function decodeStored(reply: readonly unknown[]): StoredRun | undefined {
  const [head, slots, kept, outbox] = reply;
  const fields = pairs(head);
  const number = (name: string): number => Number(fields.get(name) ?? 0);
  if (!fields.has('rev')) return undefined;
  return {
    head: {
      uid: fields.get('uid') ?? '',
      rev: number('rev'),
      round: number('round'),
      planVersion: number('planVersion'),
      digest: fields.get('digest') ?? '',
      cancelled: fields.get('cancelled') === '1',
      begunAtMs: number('begunAtMs'),
    },
    slots: Buffer.isBuffer(slots) ? new Uint8Array(slots) : new Uint8Array(0),
    kept: new Map([...pairs(kept)].map(([field, text]) => [Number.parseInt(field, 10), text as JsonText])),
    outbox: list(outbox),
  };
}

/** The run's 48 bits as its head knows them. */
export function decodeRun48(head: unknown): string {
  return pairs(head).get('run48') ?? '';
}

function pairs(reply: unknown): Map<string, string> {
  const items = list(reply);
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < items.length; i += 2) map.set(items[i] ?? '', items[i + 1] ?? '');
  return map;
}

function list(reply: unknown): string[] {
  return Array.isArray(reply)
    ? reply.map((item: unknown) => (Buffer.isBuffer(item) ? item.toString() : String(item)))
    : [];
}
