import { decodeBase64Url, encodeBase64Url } from '#core/base/base64url.ts';
import { limits } from '#core/base/limits.ts';
import { PackedNumbers, UnpackedNumbers, UnpackError } from '#core/base/packed-numbers.ts';
import type { Cancelled } from './advance.ts';
import { slotBytes, ticksAt, type Slots } from './slots.ts';
import { packCodes, unpackCodes } from './packed-codes.ts';
import type { UnfoldedMaps, Unfolded } from './unfolded.ts';

/**
 * What status remembers of a run, for an operator that finds nothing of it in Redis: which slots had ended and how, never
 * any result. It is trusted no more than anything else that a person may edit.
 */
export interface Checkpoint {
  readonly rev: number;
  readonly round: number;
  /** Ticks at which the rounds from the first on began. */
  readonly roundsAt: readonly number[];
  /** The value of `spec.retryFailed` that the latest of them answered. */
  readonly retried: number;
  readonly planVersion: number;
  /** The first eight hex digits of the frozen spec's digest. */
  readonly digestStart: string;
  readonly cancelled: Cancelled;
  readonly begunAtMs: number;
  readonly maps: UnfoldedMaps;
  /** Slots that had ended stand as they were, at the beginning of the round in which they ended; all others are zero. */
  readonly slots: Slots;
}

/** A run as its checkpoint is made from it; its digest is the whole one. */
export interface CheckpointSource extends Omit<Checkpoint, 'digestStart'> {
  readonly uid: string;
  readonly digest: string;
}

const version = 2;
const mostBytes = Math.floor((limits.checkpointBytes * 3) / 4);
/** More slots than any run has; a text that claims more was made by no operator. */
const mostSlots = 2 ** 21;
const mostRounds = 4096;
const cancelWords: readonly Cancelled[] = ['', 'Cancelled', 'DeadlineExceeded'];

/** Of an ended slot, its state's number less 15, so that three bits hold it; 0 for one that has not ended. */
const firstEndedState = 16;
/** Each round has so many words: 0, and a state each. */
const words = 8;
const lastWord = 6;
const checksumBytes = 4;

/** Undefined when it would be larger than `limits.checkpointBytes`. */
export function encodeCheckpoint(run: CheckpointSource): string | undefined {
  const numbers = new PackedNumbers();
  const { cancelled, roundsAt } = run;
  const head = [
    run.rev,
    run.round,
    run.retried,
    run.planVersion,
    cancelWords.indexOf(cancelled),
    run.begunAtMs,
    roundsAt.length,
  ];
  for (const each of [version, Number.parseInt(run.digest.slice(0, 8), 16), ...head, ...roundsAt]) numbers.add(each);
  numbers.add(run.maps.size);
  for (const [step, { base, count, width }] of run.maps)
    for (const each of [step, base, count, width]) numbers.add(each);
  addSlots(numbers, run);
  numbers.bytes.push(...checksumOf(run.uid, numbers.bytes));
  return numbers.bytes.length > mostBytes ? undefined : encodeBase64Url(numbers.bytes);
}

/** How each slot ended and in which round, then at which attempt. */
function addSlots(numbers: PackedNumbers, run: CheckpointSource): void {
  const ends = new Uint16Array(Math.floor(run.slots.length / slotBytes));
  const attempts = new Uint16Array(ends.length);
  for (let at = 0; at < ends.length; at += 1) {
    const word = wordAt(run.slots, at);
    if (word === 0) continue;
    ends[at] = roundAt(run, at) * words + word;
    attempts[at] = attemptAt(run.slots, at);
  }
  packCodes(numbers, ends);
  packCodes(numbers, attempts);
}

/** Undefined for whatever `encodeCheckpoint` did not write for this Workflow: never throws, and is bounded. */
export function decodeCheckpoint(text: string, uid: string): Checkpoint | undefined {
  const bytes = text.length > limits.checkpointBytes ? undefined : decodeBase64Url(text);
  if (bytes === undefined) return undefined;
  try {
    return readCheckpoint(bytes, uid);
  } catch (error) {
    if (error instanceof UnpackError) return undefined;
    throw error;
  }
}

function readCheckpoint(bytes: Uint8Array, uid: string): Checkpoint | undefined {
  const numbers = new UnpackedNumbers(withoutChecksum(bytes, uid));
  if (numbers.take() !== version) return undefined;
  const digestStart = numbers.take(0xffffffff).toString(16).padStart(8, '0');
  const rev = numbers.take();
  const round = numbers.take(mostRounds);
  const retried = numbers.take(mostRounds);
  const planVersion = numbers.take(0xffff);
  const cancelled = cancelWords[numbers.take(cancelWords.length - 1)] ?? '';
  const begunAtMs = numbers.take();
  const roundsAt = Array.from({ length: numbers.take(mostRounds) }, () => numbers.take(0xffffffff));
  const maps = new Map<number, Unfolded>();
  for (let left = numbers.take(mostSlots); left > 0; left -= 1) {
    const step = numbers.take(mostSlots);
    maps.set(step, { base: numbers.take(mostSlots), count: numbers.take(mostSlots), width: numbers.take(mostSlots) });
  }
  const slots = takeSlots(numbers, roundsAt);
  return { rev, round, roundsAt, retried, planVersion, digestStart, cancelled, begunAtMs, maps, slots };
}

function takeSlots(numbers: UnpackedNumbers, roundsAt: readonly number[]): Slots {
  const ends = unpackCodes(numbers, mostSlots, roundsAt.length * words + words - 1);
  const attempts = unpackCodes(numbers, mostSlots, 0xffff);
  if (attempts.length !== ends.length || !numbers.isAtEnd) throw new UnpackError('the slots are not as many as said');
  const slots = new Uint8Array(ends.length * slotBytes);
  const view = new DataView(slots.buffer);
  for (const [at, end] of ends.entries()) {
    const word = end % words;
    if (word === 0) continue;
    if (word > lastWord) throw new UnpackError(`state ${word} is none`);
    view.setUint8(at * slotBytes, word + firstEndedState - 1);
    view.setUint16(at * slotBytes + 2, attempts[at] ?? 0);
    view.setUint32(at * slotBytes + 4, startOf(roundsAt, Math.floor(end / words)));
  }
  return slots;
}

function wordAt(slots: Slots, at: number): number {
  const code = slots[at * slotBytes] ?? 0;
  return code < firstEndedState ? 0 : code - firstEndedState + 1;
}

function attemptAt(slots: Slots, at: number): number {
  return (slots[at * slotBytes + 2] ?? 0) * 256 + (slots[at * slotBytes + 3] ?? 0);
}

/** The round in which a slot ended, by when it did. */
function roundAt({ slots, roundsAt }: CheckpointSource, at: number): number {
  const ticks = ticksAt(slots, at);
  let round = roundsAt.length;
  while (round > 0 && (roundsAt[round - 1] ?? 0) > ticks) round -= 1;
  return round;
}

function startOf(roundsAt: readonly number[], round: number): number {
  return round === 0 ? 0 : (roundsAt[round - 1] ?? 0);
}

function withoutChecksum(bytes: Uint8Array, uid: string): Uint8Array {
  const body = bytes.subarray(0, Math.max(0, bytes.length - checksumBytes));
  const sum = checksumOf(uid, body);
  if (sum.every((byte, at) => byte === bytes[body.length + at])) return body;
  throw new UnpackError('the checksum is not that of the bytes');
}

/** FNV-1a, over the Workflow as well: a checkpoint is nobody else's. It guards against slips, not against intent. */
function checksumOf(uid: string, bytes: ArrayLike<number>): readonly number[] {
  let hash = 0x811c9dc5;
  const mix = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  };
  for (let at = 0; at < uid.length; at += 1) mix(uid.charCodeAt(at) % 256);
  for (let at = 0; at < bytes.length; at += 1) mix(bytes[at] ?? 0);
  return [hash >>> 24, (hash >>> 16) % 256, (hash >>> 8) % 256, hash % 256];
}
