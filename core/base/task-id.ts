declare const brand: unique symbol;

/** The id of one message. A new message is a new id; the very same message may be moved and keeps it. */
export type TaskId = string & { readonly [brand]: true };

/**
 * `Carrier`: the message exists only to call an errback inside an unmodified Celery worker. `Note`: no message at all; under
 * it our worker stores, for the operator, that the message with the same fields leaves no result.
 */
export type MessageKind = 'Message' | 'Carrier' | 'Note';

/** What an id says. All are unsigned integers; `run48` is twelve lower-case hex digits. */
export interface TaskIdFields {
  readonly run48: string;
  /** 12 bits. */
  readonly round: number;
  /** 20 bits: the pre-order index of the element as the user wrote it. */
  readonly step: number;
  /** 24 bits: the item or chunk of a map; 0 elsewhere. */
  readonly member: number;
  /** 16 bits. */
  readonly attempt: number;
  readonly kind: MessageKind;
}

export const maxRound = 0xfff;
export const maxStep = 0xfffff;
export const maxMember = 0xffffff;
export const maxAttempt = 0xffff;

const kindBits: Record<MessageKind, number> = { Message: 0, Carrier: 1, Note: 2 };
const kinds: readonly MessageKind[] = ['Message', 'Carrier', 'Note'];

/**
 * UUIDv8 (RFC 9562 §5.8) that can be read back. 122 free bits hold, in order: run 48, round 12, step 20, member 24,
 * attempt 16, kind 2; version and variant bits are skipped. The layout never changes: it stands in live queues.
 *
 *     rrrrrrrr-rrrr-8ooo-Vsss-ssmmmmmmaaaa   (V = variant, and shifts what follows by two bits)
 */
export function encodeTaskId(fields: TaskIdFields): TaskId {
  const { run48, round, step, member, attempt } = fields;
  // The 62 bits behind the variant as two halves of 30 and 32, for numbers of 53 bits cannot hold them at once.
  const low = ((member & 0x3fff) * 0x40000 + attempt * 4 + kindBits[fields.kind]) >>> 0;
  const high = step * 0x400 + (member >>> 14);
  const tail = (high + 0x80000000).toString(16).padStart(8, '0') + hex(low, 8);
  return `${run48.slice(0, 8)}-${run48.slice(8)}-8${hex(round, 3)}-${tail.slice(0, 4)}-${tail.slice(4)}` as TaskId;
}

const shape = /^([0-9a-f]{8})-([0-9a-f]{4})-8([0-9a-f]{3})-([89ab][0-9a-f]{3})-([0-9a-f]{12})$/;

/** Undefined for an id that is none of ours: another client's, or a kind that this version does not know. */
export function decodeTaskId(id: string): TaskIdFields | undefined {
  const match = shape.exec(id);
  if (match === null) return undefined;
  const [, runHigh = '', runLow = '', round = '', fourth = '', fifth = ''] = match;
  const tail = fourth + fifth;
  const high = Number.parseInt(tail.slice(0, 8), 16) - 0x80000000;
  const low = Number.parseInt(tail.slice(8), 16);
  const kind = kinds[low % 4];
  if (kind === undefined) return undefined;
  return {
    run48: runHigh + runLow,
    round: Number.parseInt(round, 16),
    step: Math.floor(high / 0x400),
    member: (high % 0x400) * 0x4000 + Math.floor(low / 0x40000),
    attempt: Math.floor(low / 4) % 0x10000,
    kind,
  };
}

/** Where it is told that this message leaves no result; undefined for an id that is no message of ours. */
export function noteIdOf(id: string): TaskId | undefined {
  const fields = decodeTaskId(id);
  return fields?.kind === 'Message' ? encodeTaskId({ ...fields, kind: 'Note' }) : undefined;
}

/** The run's 48 bits as they stand in a Workflow's UID: its first twelve hex digits. */
export function run48Of(uid: string): string {
  return uid.replaceAll('-', '').slice(0, 12);
}

/** One of 256 virtual shards, the same for ever: the run's first byte. */
export function shardOf(run48: string): number {
  return Number.parseInt(run48.slice(0, 2), 16);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
