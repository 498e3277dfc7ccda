import type { JsonText } from '#core/base/json-text.ts';
import type { Cancelled, StoredRun } from '#core/workflow/advance.ts';
import {
  owningMap,
  slotIndexWithin,
  type OwningMap,
  type Unfolded,
  type UnfoldedMaps,
} from '#core/workflow/unfolded.ts';

/** Reads head, slots, kept and outbox as the scripts reply them; undefined where there is no head, or no slots beside it. */
export function decodeStored(reply: readonly unknown[]): StoredRun | undefined {
  const [head, slots, kept, outbox] = reply;
  const fields = pairs(head);
  const number = (name: string): number => Number(fields.get(name) ?? 0);
  if (!fields.has('rev') || !Buffer.isBuffer(slots)) return undefined;
  const maps = mapsOf(fields);
  return {
    head: {
      uid: fields.get('uid') ?? '',
      rev: number('rev'),
      round: number('round'),
      roundsAt: words(fields.get('roundsAt')),
      retried: number('retried'),
      planVersion: number('planVersion'),
      digest: fields.get('digest') ?? '',
      cancelled: (fields.get('cancelled') ?? '') as Cancelled,
      begunAtMs: number('begunAtMs'),
    },
    slots: new Uint8Array(slots),
    kept: keptOf(maps, pairs(kept)),
    maps,
    ledger: ledgerOf(fields),
    outbox: list(outbox),
  };
}

/** The run's 48 bits as its head knows them. */
export function decodeRun48(head: unknown): string {
  return pairs(head).get('run48') ?? '';
}

function mapsOf(fields: ReadonlyMap<string, string>): UnfoldedMaps {
  const maps = new Map<number, Unfolded>();
  for (const [name, value] of fields) {
    if (!name.startsWith('m:')) continue;
    const [base = 0, count = 0, width = 1] = words(value);
    maps.set(Number(name.slice(2)), { base, count, width });
  }
  return maps;
}

function ledgerOf(fields: ReadonlyMap<string, string>): ReadonlyMap<string, number> {
  const named = [...fields].filter(([name]) => name.startsWith('q:'));
  return new Map(named.map(([name, held]) => [name.slice(2), Number(held)]));
}

/** From `step:member` to slot indexes; there may be 100,000 of them, of few steps. */
function keptOf(maps: UnfoldedMaps, texts: ReadonlyMap<string, string>): ReadonlyMap<number, JsonText> {
  const owners = new Map<number, OwningMap | undefined>();
  const kept = new Map<number, JsonText>();
  for (const [field, text] of texts) {
    const colon = field.indexOf(':');
    const step = Number(field.slice(0, colon));
    if (!owners.has(step)) owners.set(step, owningMap(maps, step));
    const at = slotIndexWithin(owners.get(step), { step, member: Number(field.slice(colon + 1)) });
    kept.set(at, text as JsonText);
  }
  return kept;
}

function words(text: string | undefined): readonly number[] {
  return text === undefined || text === '' ? [] : text.split(' ').map(Number);
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
