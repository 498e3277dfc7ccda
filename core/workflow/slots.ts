/**
 * What has happened to one planned task, as one byte in Redis. The numbers never change: they stand in live runs.
 * From 16 on the step has ended.
 *
 *   Waiting ──due──▶ Published ──STARTED seen──▶ Running | Retrying ──▶ Succeeded | Failed | Continued | Lost
 *    │ │ ▲              ▲                           │  │
 *    │ │ └──────────────┼── lost with its worker, attempt + 1
 *    │ └─ not due yet ─▶ Scheduled ◀── failed, retries left, attempt + 1
 *    │
 *    └─ `when` is false ─▶ PassedOver             cancelled, at any time ─▶ Cancelled
 *
 * `Retrying`: a worker said RETRY and has sent the same message again. `Continued`: failed, and it does not count.
 *
 * `Waiting` also stands for steps that will never run because something before them failed: that follows from the
 * others and is not stored. A composite has a slot too; it is used when the element ends without having begun.
 */
export const slotStates = {
  Waiting: 0,
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
  /**
   * When the state was entered; while Scheduled, when it is due, and while Published also, where the step's bounds count from
   * then. Ticks since the run began.
   */
  readonly atTicks: number;
}

/** The unit of a run's own time: slots hold 32 bits of it, which is 497 days. */
export const tickMs = 10;
export const maxTicks = 0xffffffff;

/** Whole ticks that have passed at a moment; never below 0 nor beyond what a slot holds. */
export function ticksSince(begunAtMs: number, ms: number): number {
  return Math.min(maxTicks, Math.max(0, Math.floor((ms - begunAtMs) / tickMs)));
}

/** The first tick that is not before a moment: when something that waits for it is due. */
export function dueTicks(begunAtMs: number, ms: number): number {
  return Math.min(maxTicks, Math.max(0, Math.ceil((ms - begunAtMs) / tickMs)));
}

/** Bytes of a slot: state, flags (low nibble: times lost; 0x10: carried; the rest kept free), attempt (16 bits), time (32 bits); big-endian. */
export const slotBytes = 8;

const carriedFlag = 0x10;

/** By number: read for every step of every run again and again. */
const stateNames: readonly (SlotState | undefined)[] = Array.from({ length: 256 }, (_, code) =>
  (Object.keys(slotStates) as SlotState[]).find((name) => slotStates[name] === code),
);

/** The slots of one run: a value of 8 bytes a slot. A shorter array reads as if zeros followed, as Redis keeps it. */
export type Slots = Uint8Array;

export function readSlot(slots: Slots, index: number): Slot {
  const at = index * slotBytes;
  const byte = (offset: number): number => slots[at + offset] ?? 0;
  return {
    state: slotStateAt(slots, index),
    lost: byte(1) & 0x0f,
    carried: (byte(1) & carriedFlag) !== 0,
    attempt: byte(2) * 256 + byte(3),
    atTicks: ticksAt(slots, index),
  };
}

/** Attempts of its task before this one that failed: those that were lost with their worker are counted apart. */
export function retriesAt(slots: Slots, index: number): number {
  const at = index * slotBytes;
  return (slots[at + 2] ?? 0) * 256 + (slots[at + 3] ?? 0) - ((slots[at + 1] ?? 0) & 0x0f);
}

export function ticksAt(slots: Slots, index: number): number {
  const at = index * slotBytes + 4;
  const byte = (offset: number): number => slots[at + offset] ?? 0;
  return ((byte(0) * 256 + byte(1)) * 256 + byte(2)) * 256 + byte(3);
}

/** Throws on a state byte that this version does not know: a newer one wrote it. */
export function slotStateAt(slots: Slots, index: number): SlotState {
  const code = slots[index * slotBytes] ?? 0;
  const name = stateNames[code];
  if (name === undefined) throw new RangeError(`slot ${index}: state ${code} is not known to this version`);
  return name;
}

/** The eight bytes of a slot as two numbers of 32 bits. */
export type SlotWords = readonly [high: number, low: number];

export function slotWords({ state, lost, carried, attempt, atTicks }: Slot): SlotWords {
  const flags = (lost & 0x0f) | (carried ? carriedFlag : 0);
  return [((slotStates[state] << 24) | (flags << 16) | (attempt & 0xffff)) >>> 0, atTicks >>> 0];
}

export function encodeSlot(slot: Slot): Uint8Array {
  const [high, low] = slotWords(slot);
  // Bytes keep the low eight bits of what they are given.
  return Uint8Array.of(high >>> 24, high >>> 16, high >>> 8, high, low >>> 24, low >>> 16, low >>> 8, low);
}

/** A copy of the slots in which the given ones stand; grown where it is too short. */
export function withSlots(slots: Slots, changes: Iterable<readonly [index: number, slot: Slot]>): Slots {
  const list = [...changes];
  const size = list.reduce((most, [index]) => Math.max(most, (index + 1) * slotBytes), slots.length);
  const next = new Uint8Array(size);
  next.set(slots);
  for (const [index, slot] of list) next.set(encodeSlot(slot), index * slotBytes);
  return next;
}

export function hasEnded(state: SlotState): boolean {
  return slotStates[state] >= 16;
}

/** In a queue, at a worker, or on its way there. */
export function isInFlight(state: SlotState): boolean {
  return state === 'Published' || state === 'Running' || state === 'Retrying';
}
