import type { JsonText } from '#core/base/json-text.ts';
import type { Slots } from './slots.ts';

/**
 * What is known of a live run. `kept` holds, by step, the text of a result that something still needs, or of a failure
 * (`core/workflow/failure.ts`); it is what the deciding script recorded, never read again from the result store.
 */
export interface RunState {
  readonly slots: Slots;
  readonly kept: ReadonlyMap<number, JsonText>;
  readonly cancelled: boolean;
}
