/**
 * What has happened to one planned task, as one byte in Redis. The numbers never change: they stand in live runs.
 * From 16 on the step has ended.
 *
 *   Waiting ──due──▶ Published ──STARTED seen──▶ Running ──▶ Succeeded | Failed
 *      │  └─window full─▶ Held ─▶ Published          │
 *      │                                             └─ lost with its worker ─▶ Published (attempt + 1) … ─▶ Lost
 *      └─ cancelled ─▶ Cancelled
 *
 * `Waiting` also stands for steps that will never run because something before them failed: that follows from the
 * others and is not stored.
 */
export const slotStates = {
  Waiting: 0,
  Held: 1,
  Published: 2,
  Running: 3,
  Scheduled: 4,
  Retrying: 5,
  Succeeded: 16,
  PassedOver: 17,
  Failed: 18,
  Continued: 19,
  Cancelled: 20,
  Lost: 21,
} as const;

export type SlotState = keyof typeof slotStates;

export interface Slot {
  readonly state: SlotState;
  /** Times that an attempt was lost with its worker, at most 15: counted apart from the task's own failures. */
  readonly lost: number;
  /** The attempt travels inside a carrier (`core/celery/carrier.ts`), which changes how its end is read. */
  readonly carried: boolean;
  readonly attempt: number;
  /** When the state was entered; seconds since 1970. */
  readonly atSeconds: number;
}

/** Bytes of a slot: state, flags (low nibble: times lost; 0x10: carried; the rest kept free), attempt (16 bits), time (32 bits); big-endian. */
export const slotBytes = 8;

const carriedFlag = 0x10;

/** By number: read for every step of every run again and again. */
const stateNames: readonly (SlotState | undefined)[] = Array.from({ length: 256 }, (_, code) =>
  (Object.keys(slotStates) as SlotState[]).find((name) => slotStates[name] === code),
);

/** The slots of one run: a value of 8 bytes a step. A shorter array reads as if zeros followed, as Redis keeps it. */
export type Slots = Uint8Array;

export function readSlot(slots: Slots, step: number): Slot {
  const at = step * slotBytes;
  const byte = (offset: number): number => slots[at + offset] ?? 0;
  return {
    state: slotStateAt(slots, step),
    lost: byte(1) & 0x0f,
    carried: (byte(1) & carriedFlag) !== 0,
    attempt: byte(2) * 256 + byte(3),
    atSeconds: ((byte(4) * 256 + byte(5)) * 256 + byte(6)) * 256 + byte(7),
  };
}

/** Throws on a state byte that this version does not know: a newer one wrote it. */
export function slotStateAt(slots: Slots, step: number): SlotState {
  const code = slots[step * slotBytes] ?? 0;
  const name = stateNames[code];
  if (name === undefined) throw new RangeError(`step ${step}: slot state ${code} is not known to this version`);
  return name;
}

export function encodeSlot(slot: Slot): Uint8Array {
  const { attempt, atSeconds } = slot;
  const flags = (slot.lost & 0x0f) | (slot.carried ? carriedFlag : 0);
  const seconds = [atSeconds / 0x1000000, atSeconds / 0x10000, atSeconds / 0x100, atSeconds];
  return Uint8Array.of(slotStates[slot.state], flags, attempt >> 8, attempt & 0xff, ...seconds.map(lowByte));
}

function lowByte(value: number): number {
  return Math.floor(value) % 256;
}

/** A copy of the slots in which the given ones stand; grown where it is too short. */
export function withSlots(slots: Slots, changes: Iterable<readonly [step: number, slot: Slot]>): Slots {
  const list = [...changes];
  const size = list.reduce((most, [step]) => Math.max(most, (step + 1) * slotBytes), slots.length);
  const next = new Uint8Array(size);
  next.set(slots);
  for (const [step, slot] of list) next.set(encodeSlot(slot), step * slotBytes);
  return next;
}

export function hasEnded(state: SlotState): boolean {
  return slotStates[state] >= 16;
}

/** In a queue, at a worker, or on its way there. */
export function isInFlight(state: SlotState): boolean {
  return state === 'Published' || state === 'Running' || state === 'Retrying';
}
