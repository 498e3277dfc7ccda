import type { JsonText } from '#core/base/json-text.ts';
import type { AdvanceRequest, Publish, Recorded } from '#core/workflow/advance.ts';
import type { Slot } from '#core/workflow/slots.ts';
import type { RunKey, RunStore } from '#io/runs/run-store.ts';

let last = 0;

/** UIDs of one shard (0xab), of different 48 bits. */
export function newUid(): string {
  last += 1;
  return `ab${last.toString(16).padStart(6, '0')}-0000-4000-8000-${process.pid.toString(16).padStart(12, '0')}`;
}

export const shard = 0xab;
export const json = (text: string): JsonText => text as JsonText;

export function request(fence: number, rev: number, given: Partial<AdvanceRequest> = {}): AdvanceRequest {
  return { fence, rev, records: [], publishes: [], unfolds: [], ledger: [], ...given };
}

export function slot(state: Slot['state'], given: Partial<Slot> = {}): Slot {
  return { state, lost: 0, carried: false, attempt: 0, atTicks: 4_000_000, ...given };
}

export function succeeded(at: number, text: string): Recorded {
  return { at, slot: slot('Succeeded'), keep: json(text) };
}

export function push(at: number, message: string, list = 'queue'): Publish {
  const dispatch = { by: 'Push', db: 0, list, bell: `arp:bell:${list}`, message } as const;
  return { at, slot: slot('Published'), dispatch, isCleanUp: false };
}

export function outbox(at: number, entry: string): Publish {
  return { at, slot: slot('Published'), dispatch: { by: 'Outbox', entry }, isCleanUp: false };
}

export async function begun(store: RunStore, uid = newUid(), fence?: number): Promise<{ run: RunKey; fence: number }> {
  const own = fence ?? (await store.takeShard(shard));
  const answer = await store.begin({ uid, planVersion: 1, digest: 'd1', fence: own });
  if (!answer.ok) throw new Error('refused');
  return { run: answer.run, fence: own };
}
