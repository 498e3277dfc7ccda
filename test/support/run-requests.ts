import type { JsonText } from '#core/base/json-text.ts';
import type { AdvanceRequest, Publish } from '#core/workflow/advance.ts';
import type { Recorded } from '#core/workflow/record.ts';
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
const noTimers = { set: [], clear: [] };

export function request(fence: number, rev: number, given: Partial<AdvanceRequest> = {}): AdvanceRequest {
  return { fence, rev, records: [], publishes: [], ledger: [], timers: noTimers, ...given };
}

export function slot(state: Slot['state'], given: Partial<Slot> = {}): Slot {
  return { state, lost: 0, carried: false, attempt: 0, atSeconds: 1_700_000_000, ...given };
}

export function succeeded(step: number, text: string): Recorded {
  return { step, slot: slot('Succeeded'), keep: json(text) };
}

export function push(step: number, message: string, list = 'queue'): Publish {
  const dispatch = { by: 'Push', db: 0, list, bell: `arp:bell:${list}`, message } as const;
  return { step, slot: slot('Published'), dispatch, isCleanUp: false };
}

export function outbox(step: number, entry: string): Publish {
  return { step, slot: slot('Published'), dispatch: { by: 'Outbox', entry }, isCleanUp: false };
}

export async function begun(store: RunStore, uid = newUid(), fence?: number): Promise<{ run: RunKey; fence: number }> {
  const own = fence ?? (await store.takeShard(shard));
  const answer = await store.begin({ uid, planVersion: 1, digest: 'd1', fence: own });
  if (!answer.ok) throw new Error('refused');
  return { run: answer.run, fence: own };
}
