import type { AdvanceRequest, Dispatch, Publish, Recorded } from '#core/workflow/advance.ts';
import { slotWords, type Slot, type SlotWords } from '#core/workflow/slots.ts';

export type ScriptArgument = string | number | Buffer;

export interface AdvancePlace {
  /** The database that the run is in. */
  readonly db: number;
  /** What the keys of its shard's ledgers begin with. */
  readonly ledgers: string;
}

/**
 * What `advanceScript` is called with. Neighbouring slots of the same value are told once, and messages of one list
 * follow each other, so that a fan-out costs the script one command and not one a message.
 */
export function advanceArguments(request: AdvanceRequest, { db, ledgers }: AdvancePlace): ScriptArgument[] {
  const { unfolds, ledger } = request;
  const queues = queuesOf(request.publishes, db);
  const slots = stretchesOf(request.publishes, () => true);
  const records = stretchesOf(request.records, (a, b) => (a.keep === undefined) === (b.keep === undefined));
  const args = [...headArguments(request, db)];
  args.push(ledgers, queues.length, ledger.length, unfolds.length, slots.length, records.length);
  for (const queue of queues) args.push(queue.db, queue.list, queue.bell, queue.messages.length);
  for (const { queue, held } of ledger) args.push(queue, Math.max(0, held));
  for (const { step, base, count, width } of unfolds) args.push(step, base, count, width);
  for (const { first, members, words } of slots) args.push(first, members.length, ...words);
  for (const stretch of records) pushRecords(args, stretch);
  for (const { messages } of queues) args.push(...messages);
  return args;
}

function headArguments({ fence, rev, cancel, publishes, newRound }: AdvanceRequest, db: number): ScriptArgument[] {
  const isMoreThanCleanUp = publishes.some((publish) => !publish.isCleanUp) ? '1' : '0';
  const first = [fence, rev, cancel ?? '', db, isMoreThanCleanUp];
  if (newRound === undefined) return [...first, '', '', ''];
  return [...first, newRound.atTicks, Buffer.from(newRound.slots), newRound.retried];
}

/** Of a stretch, either all keep a text or none does. */
function pushRecords(args: ScriptArgument[], { first, members, words }: Stretch<Recorded>): void {
  args.push(first, members.length, ...words, members[0]?.keep === undefined ? '0' : '1');
  for (const { keep } of members) if (keep !== undefined) args.push(keep);
}

/** Changes of neighbouring slots to the same value. */
interface Stretch<T> {
  readonly first: number;
  /** As numbers: a buffer among many arguments would make the client assemble them piece by piece. */
  readonly words: SlotWords;
  readonly members: T[];
}

/** By slot; changes of one slot stay in the order in which they were given. */
function stretchesOf<T extends { readonly at: number; readonly slot: Slot }>(
  changes: readonly T[],
  isAlike: (one: T, other: T) => boolean,
): readonly Stretch<T>[] {
  const stretches: Stretch<T>[] = [];
  for (const change of changes.toSorted((one, other) => one.at - other.at)) {
    const words = slotWords(change.slot);
    const last = stretches.at(-1);
    const before = last?.members.at(-1);
    const continues = last !== undefined && before?.at === change.at - 1 && areEqual(last.words, words);
    if (continues && isAlike(before, change)) last.members.push(change);
    else stretches.push({ first: change.at, words, members: [change] });
  }
  return stretches;
}

function areEqual(one: SlotWords, other: SlotWords): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

interface Queue {
  readonly db: number;
  /** `''` is the outbox. */
  readonly list: string;
  readonly bell: string;
  readonly messages: string[];
}

function queuesOf(publishes: readonly Publish[], homeDb: number): readonly Queue[] {
  const queues = new Map<string, Queue>();
  for (const { dispatch } of publishes) {
    const { db, list, bell, message } = destinationOf(dispatch, homeDb);
    const name = `${db}/${list.length}/${list}${bell}`;
    const queue = queues.get(name);
    if (queue === undefined) queues.set(name, { db, list, bell, messages: [message] });
    else queue.messages.push(message);
  }
  return [...queues.values()];
}

function destinationOf(dispatch: Dispatch, homeDb: number): Omit<Queue, 'messages'> & { readonly message: string } {
  return dispatch.by === 'Push' ? dispatch : { db: homeDb, list: '', bell: '', message: dispatch.entry };
}
