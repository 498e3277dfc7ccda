import fc from 'fast-check';
import type { JsonText } from '#core/base/json-text.ts';
import { slotStates, type Slot, type SlotState } from '#core/workflow/slots.ts';

/** The plan: twelve steps, a map at 4 whose `each` has two steps, and one at 8 whose `each` is a task. */
export const steps = 12;
const literal = fc.constantFrom(0, 1, 2, 3, 4, 7, 8, 10, 11);
/** A place within a map stands for the map itself until that member is there. */
const place = fc.oneof(
  fc.record({ map: fc.constant(-1), member: fc.constant(0), inner: literal }),
  fc.record({ map: fc.constant(4), member: fc.nat({ max: 3 }), inner: fc.nat({ max: 1 }) }),
  fc.record({ map: fc.constant(8), member: fc.nat({ max: 3 }), inner: fc.constant(0) }),
);
export type Place = typeof place extends fc.Arbitrary<infer T> ? T : never;
export const widths = new Map([
  [4, 2],
  [8, 1],
]);

const slotOf = fc.record({
  state: fc.constantFrom(...(Object.keys(slotStates) as SlotState[])),
  lost: fc.constantFrom(0, 0, 15),
  carried: fc.boolean(),
  attempt: fc.constantFrom(0, 0, 0xffff),
  atTicks: fc.constantFrom(0, 7, 7, 0xffffffff),
});
const text = fc.constantFrom('1.0', 'NaN', '"ü😀\\u0000"', '{"a" : [1e400]}', '""').map((each) => each as JsonText);
const list = fc.constantFrom('a', 'b');
const dispatch = fc.oneof(
  fc.record({ by: fc.constant('Push' as const), db: fc.constant(0), list, bell: fc.constant('bell'), message: text }),
  fc.record({ by: fc.constant('Outbox' as const), entry: text }),
);
export interface PlacedRecord {
  readonly place: Place;
  readonly slot: Slot;
  readonly keep?: JsonText;
}

/** One slot often stands for many, so that stretches of equal neighbours come up. */
const record: fc.Arbitrary<PlacedRecord> = fc.record(
  { place, slot: slotOf, keep: text },
  { requiredKeys: ['place', 'slot'] },
);
const records: fc.Arbitrary<PlacedRecord[]> = fc.oneof(
  fc.array(record, { maxLength: 6 }),
  fc
    .tuple(slotOf, fc.array(place, { maxLength: 8 }))
    .map(([slot, places]) => places.map((each) => ({ place: each, slot }))),
);
const publish = fc.record({ place, slot: slotOf, dispatch, isCleanUp: fc.boolean() });
const run = fc.nat({ max: 3 });

export const action = fc.oneof(
  { weight: 1, arbitrary: fc.record({ does: fc.constant('take' as const) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('begin' as const), run, back: fc.constantFrom(0, 0, 1, -1) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('advance' as const),
      run,
      /** How far behind the fence and the revision are. */
      back: fc.constantFrom(0, 0, 0, 0, 0, 1, -1),
      behind: fc.constantFrom(0, 0, 0, 0, 1, -1),
      records,
      publishes: fc.array(publish, { maxLength: 5 }),
      unfolds: fc.array(fc.record({ step: fc.constantFrom(4, 8), count: fc.nat({ max: 4 }) }), { maxLength: 1 }),
      ledger: fc.array(fc.record({ queue: list, held: fc.nat({ max: 2 }) }), { maxLength: 2 }),
      cancel: fc.constantFrom(undefined, undefined, undefined, 'Cancelled' as const, 'DeadlineExceeded' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('round' as const),
      run,
      slots: fc.array(fc.tuple(place, slotOf), { maxLength: 5 }),
      unfolds: fc.array(fc.record({ step: fc.constantFrom(4, 8), count: fc.nat({ max: 4 }) }), { maxLength: 1 }),
      atTicks: fc.constantFrom(0, 5, 0xffffffff),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('remember' as const), run }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('restore' as const), run, back: fc.constantFrom(0, 0, 0, 1, -1) }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('end' as const), run }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('lose' as const), run }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('clear' as const), run, entry: text }) },
);
export type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;
