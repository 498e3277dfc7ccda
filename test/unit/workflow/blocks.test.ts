import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson, type JsonText } from '#core/base/json-text.ts';
import { defaultPayloadLimits } from '#core/base/payload-limits.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import type { Plan } from '#core/canvas/plan.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import { Blocks } from '#core/workflow/blocks.ts';
import { decideHere } from '#core/workflow/decide.ts';
import { evaluate } from '#core/workflow/evaluate.ts';
import type { Evaluation } from '#core/workflow/evaluation.ts';
import { initialState } from '#core/workflow/initial-state.ts';
import { judgeOf } from '#core/workflow/judge.ts';
import { forEachTaskSlot } from '#core/workflow/layout.ts';
import type { Observation } from '#core/workflow/observation.ts';
import { overdueAttempts } from '#core/workflow/overdue.ts';
import type { RunState } from '#core/workflow/run-state.ts';
import { encodeSlot, isInFlight, readSlot, slotBytes } from '#core/workflow/slots.ts';

const run = { name: 'w', namespace: 'n', uid: 'u' };

/** What may happen next: which of what is possible, how it ends, and how much time passes. */
interface Happening {
  readonly which: number;
  readonly how: 'Succeeded' | 'Failed' | 'Lost' | 'Started' | 'Cancelled' | 'Nothing';
  readonly ticks: number;
}

const happening: fc.Arbitrary<Happening> = fc.record({
  which: fc.nat(1_000),
  how: fc.constantFrom('Succeeded', 'Succeeded', 'Succeeded', 'Failed', 'Lost', 'Started', 'Cancelled', 'Nothing'),
  // A clock may be set back.
  ticks: fc.oneof(fc.nat(500), fc.integer({ min: -200, max: 0 })),
});

const happenings = fc.array(happening, { minLength: 1, maxLength: 40 });

const { element } = fc.letrec<{ element: object; task: object }>((tie) => ({
  task: fc.record(
    {
      task: fc.constantFrom('a', 'b'),
      retry: fc.constant({ maxRetries: 2, backoff: '1s', jitter: true }),
      countdown: fc.constantFrom('1s', '3s'),
      timeLimit: fc.constant('2s'),
      waitLimit: fc.constant('4s'),
      when: fc.constantFrom('true', 'false', 'run.name == "w"'),
      onFailure: fc.constantFrom('Continue', 'Fail'),
      link: fc.constant([{ task: 'linked' }]),
      linkError: fc.constant([{ task: 'told' }]),
    },
    { requiredKeys: ['task'] },
  ),
  element: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { arbitrary: tie('task'), weight: 6 },
    { arbitrary: fc.array(tie('element'), { maxLength: 9 }).map((group) => ({ group })), weight: 3 },
    { arbitrary: fc.array(tie('element'), { maxLength: 4 }).map((chain) => ({ chain })), weight: 2 },
    {
      arbitrary: fc
        .tuple(fc.array(tie('element'), { maxLength: 7 }), tie('task'))
        .map(([header, body]) => ({ chord: { header, body } })),
      weight: 1,
    },
    { arbitrary: fc.nat(9).map((range) => ({ map: { task: 'mapped', range, countdown: '1s' } })), weight: 1 },
    {
      arbitrary: fc.nat(7).map((range) => ({
        map: { each: { chain: [{ task: 'x', retry: { maxRetries: 1 } }, { task: 'y' }] }, range },
      })),
      weight: 2,
    },
  ),
}));

/** The names `when` and so on are for inner elements only. */
function planned(spec: object): Plan {
  return planOf(
    normalise(parseJson(JSON.stringify({ chain: [{ task: 'first' }, spec, { task: 'last' }] })) as WorkflowSpec),
  );
}

/** A run that is driven with blocks of a few members, and looked at without them after each step. */
class Twice {
  readonly #plan: Plan;
  readonly #blocks: Blocks;
  #state: RunState = initialState(0);
  #nowTicks = 1_000;

  constructor(plan: Plan, members: number) {
    this.#plan = plan;
    this.#blocks = new Blocks(members);
  }

  next({ which, how, ticks }: Happening): void {
    this.#nowTicks = Math.max(0, this.#nowTicks + ticks);
    if (how === 'Cancelled' && which % 10 === 0) this.#state = { ...this.#state, cancelled: 'Cancelled' };
    const seen = this.#observed(which, how);
    const context = { nowTicks: this.#nowTicks, run48: 'aaaaaaaaaaaa', run, payloadLimits: defaultPayloadLimits };
    const decision = decideHere(this.#plan, this.#state, seen, { ...context, blocks: this.#blocks });
    this.#state = decision.state;
    // With more to decide, what was to change is done since.
    if (!decision.hasMore) this.#isAsWithout(decision.evaluation);
    const { due } = decision.evaluation;
    for (const at of due.slice(0, 1 + (which % 5))) {
      const slot = { ...readSlot(this.#state.slots, at), state: 'Published' as const, atTicks: this.#nowTicks };
      this.#state.slots.set(encodeSlot(slot), at * slotBytes);
      this.#blocks.touch(at);
    }
  }

  scheduled(): number {
    let count = 0;
    forEachTaskSlot(this.#plan, this.#state.maps, (_step, _member, at) => {
      if (readSlot(this.#state.slots, at).state === 'Scheduled') count += 1;
    });
    return count;
  }

  #observed(which: number, how: Happening['how']): readonly Observation[] {
    const inFlight: Omit<Extract<Observation, { seen: 'Started' }>, 'seen'>[] = [];
    forEachTaskSlot(this.#plan, this.#state.maps, ({ index: step }, member, at) => {
      const { state, attempt } = readSlot(this.#state.slots, at);
      if (isInFlight(state)) inFlight.push({ step, member, attempt });
    });
    const place = inFlight[which % Math.max(1, inFlight.length)];
    if (place === undefined || how === 'Nothing' || how === 'Cancelled') return [];
    if (how === 'Succeeded') return [{ ...place, seen: how, result: '[1,2]' as JsonText }];
    if (how === 'Started') return [{ ...place, seen: how }];
    const exc = '{"exc_type":"E","exc_message":["no"],"exc_module":"m"}' as JsonText;
    return [{ ...place, seen: how, failure: { exc, traceback: 'null' as JsonText } }];
  }

  #isAsWithout(evaluation: Evaluation): void {
    const plan = this.#plan;
    const state = this.#state;
    const judge = judgeOf(plan, state, run);
    const whole = evaluate(plan, { ...state, admitted: new Set(state.admitted) }, { nowTicks: this.#nowTicks, judge });
    expect(said(evaluation)).toEqual(said(whole));
    const view = { plan, state, evaluation, payloadLimits: defaultPayloadLimits };
    expect(overdueAttempts({ ...view, blocks: this.#blocks }, this.#nowTicks)).toEqual(
      overdueAttempts(view, this.#nowTicks),
    );
  }
}

function said({ states, ...rest }: Evaluation): object {
  return { states: Array.from(states, (each) => (each as string | undefined) ?? 'Waiting'), ...rest };
}

describe('a look at what has changed', () => {
  test('finds what a look at everything finds, whatever happens', () => {
    fc.assert(
      fc.property(element, happenings, fc.constantFrom(1, 2, 3), (spec, happenings, members) => {
        const run = new Twice(planned(spec), members);
        for (const each of happenings) run.next(each);
      }),
      { numRuns: 1_500 },
    );
  });

  test('comes to an end with more than one evaluation changes', () => {
    const plan = planned({ map: { task: 'a', range: 5_000, countdown: '1s' } });
    // The members of the map begin where a block does.
    const run = new Twice(plan, plan.steps.length);
    const nothing: Happening = { which: 0, how: 'Nothing', ticks: 0 };
    run.next(nothing);
    run.next({ ...nothing, how: 'Succeeded' });
    for (let i = 0; i < 4; i += 1) run.next(nothing);
    expect(run.scheduled()).toBe(5_000);
  });
});
