import { messageId } from '#io/brokers/message-text.ts';
import type { OutboxEntry } from './run-ports.ts';

/**
 * How far a message is on its way to its broker. `Unknown`: someone tried, and nobody knows what came of it. `Sent`: the
 * broker has it, and the store is yet to forget it.
 */
type Progress = 'Waiting' | 'Unknown' | 'Leaving' | 'Sent';

/** One message that a script could not push itself. */
export interface Letter {
  /** As the store has it. */
  readonly text: string;
  readonly entry: OutboxEntry;
  /** Of its message. */
  readonly id: string;
  progress: Progress;
  /** Its slot ends without it. */
  isWithheld: boolean;
  /** It was to be withheld while it left: its run waits to hear whether it did. */
  isAwaited: boolean;
}

/** Messages of one run that the store keeps for other brokers, in their order, and how far each is. */
export class Outbox {
  /** By the store's text, which is of one publication alone. */
  readonly #letters = new Map<string, Letter>();
  readonly #byId = new Map<string, Letter>();
  /** Texts that the store forgot since the turn began: an answer that is on its way may have them yet. */
  readonly #removed = new Set<string>();

  get isEmpty(): boolean {
    return this.#letters.size === 0;
  }

  /** The oldest first. */
  get letters(): readonly Letter[] {
    return [...this.#letters.values()];
  }

  /** What the store would have to keep, were it written anew. */
  get texts(): readonly string[] {
    return this.letters.filter(({ progress }) => progress !== 'Sent').map(({ text }) => text);
  }

  /** Nobody knows of all of them whether their broker has them. */
  get isInDoubt(): boolean {
    return this.letters.some(({ progress }) => progress === 'Unknown' || progress === 'Leaving');
  }

  /** From now on the store may be read. */
  beginTurn(): void {
    this.#removed.clear();
  }

  /** As the store has them: what is not known here another operator may have tried to send. */
  take(texts: readonly string[]): void {
    const known = new Map(this.#letters);
    this.#letters.clear();
    this.#byId.clear();
    for (const text of texts) if (!this.#removed.has(text)) this.#put(known.get(text) ?? letterOf(text));
  }

  add(text: string): void {
    this.#put(letterOf(text, 'Waiting'));
  }

  remove(letters: readonly Letter[]): void {
    for (const { text, id } of letters) {
      this.#letters.delete(text);
      this.#removed.add(text);
      if (this.#byId.get(id)?.text === text) this.#byId.delete(id);
    }
  }

  /** Whether a message is not known to be with its broker. */
  holds(id: string): boolean {
    const letter = this.#byId.get(id);
    return letter !== undefined && letter.progress !== 'Sent';
  }

  /** Keeps a message from being sent, and says whether that can be done: one that is leaving goes. */
  withhold(id: string): boolean {
    const letter = this.#byId.get(id);
    if (letter === undefined || letter.progress === 'Sent') return false;
    if (letter.progress === 'Leaving') {
      letter.isAwaited = true;
      return false;
    }
    letter.isWithheld = true;
    return true;
  }

  #put(letter: Letter): void {
    this.#letters.set(letter.text, letter);
    this.#byId.set(letter.id, letter);
  }
}

export function letterOf(text: string, progress: Progress = 'Unknown'): Letter {
  const entry = JSON.parse(text) as OutboxEntry;
  return { text, entry, id: messageId(entry.message) ?? '', progress, isWithheld: false, isAwaited: false };
}
