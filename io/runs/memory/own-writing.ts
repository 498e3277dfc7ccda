import type { JsonText } from '#core/base/json-text.ts';
import type { StoredRun, Writing } from '#core/workflow/advance.ts';
import { encodeSlot, slotBytes, withSlots, type Slot, type Slots } from '#core/workflow/slots.ts';

/** Writes into what it made itself and gave to nobody; of anything else it makes a copy first. */
export class OwnWriting implements Writing {
  #own = new WeakSet<object>();

  slots(slots: Slots, changes: readonly (readonly [index: number, slot: Slot])[]): Slots {
    if (!this.#own.has(slots) || changes.some(([index]) => (index + 1) * slotBytes > slots.length)) {
      return this.#made(withSlots(slots, changes));
    }
    for (const [index, slot] of changes) slots.set(encodeSlot(slot), index * slotBytes);
    return slots;
  }

  kept(kept: StoredRun['kept'], texts: readonly (readonly [index: number, text: JsonText])[]): StoredRun['kept'] {
    if (!isOwn(kept, this.#own)) return this.#made(new Map([...kept, ...texts]));
    for (const [index, text] of texts) kept.set(index, text);
    return kept;
  }

  /** Somebody holds this run from here on: what it is made of changes no more. */
  give({ slots, kept }: StoredRun): void {
    this.#own.delete(slots);
    this.#own.delete(kept);
  }

  /** The same of every run. */
  giveAll(): void {
    this.#own = new WeakSet();
  }

  #made<T extends object>(made: T): T {
    this.#own.add(made);
    return made;
  }
}

function isOwn(kept: StoredRun['kept'], own: WeakSet<object>): kept is Map<number, JsonText> {
  return own.has(kept);
}
