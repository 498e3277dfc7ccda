import { limits } from '#core/base/limits.ts';

/**
 * What the inboxes of one engine weigh together, in characters. Beyond its bound nothing large is taken in: whatever was
 * stored is found again once there is room.
 */
export class InboxRoom {
  readonly #most: number;
  #taken = 0;
  #waiting: (() => void)[] = [];

  constructor(most: number = limits.seenBytes) {
    this.#most = most;
  }

  get isFull(): boolean {
    return this.#taken >= this.#most;
  }

  /** What may be fetched at once: by so much, and a single larger result, the bound may be overstepped. */
  get part(): number {
    return this.#most / 8;
  }

  take(length: number): void {
    this.#taken += length;
  }

  /** Gives back what was taken; those who wait for room are called. */
  give(length: number): void {
    this.#taken -= length;
    if (this.isFull) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const call of waiting) call();
  }

  /** Calls once, when something was given back and there is room. */
  onceFree(call: () => void): void {
    this.#waiting.push(call);
  }
}
