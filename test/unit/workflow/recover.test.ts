import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { defaultPayloadLimits } from '#core/base/payload-limits.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import { planVersion, type Plan, type TaskStep } from '#core/canvas/plan.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import type { StoredRun } from '#core/workflow/advance.ts';
import { callOf } from '#core/workflow/call.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import { decodeCheckpoint, encodeCheckpoint } from '#core/workflow/checkpoint.ts';
import { decide } from '#core/workflow/decide.ts';
import { forEachTaskSlot } from '#core/workflow/layout.ts';
import type { Observation } from '#core/workflow/observation.ts';
import { recoverValues } from '#core/workflow/recover-values.ts';
import { recoveredRun, recoverFromStatus, type RecoveredRun } from '#core/workflow/recover.ts';
import type { RunState } from '#core/workflow/run-state.ts';
import { encodeSlot, isInFlight, readSlot, slotBytes } from '#core/workflow/slots.ts';
import { placeOfSlot } from '#core/workflow/unfolded.ts';
import { valueOf } from '#core/workflow/value.ts';

const uid = '5f0c8d6e-1111-4222-8333-444455556666';
const digest = 'ab'.repeat(32);
const payloadLimits = defaultPayloadLimits;
const run = { name: 'run', namespace: 'test', uid };
const context = { run48: uid.replaceAll('-', '').slice(0, 12), run, payloadLimits };

/** A run without store and queue: what is due is sent at once, and a task's result tells how it was called. */
class TestRun {
  readonly plan: Plan;
  state: RunState;
  rev = 0;
  round = 0;
  roundsAt: readonly number[] = [];
  nowTicks = 0;
  /** By task's name and member, how often it ended. */
  readonly ended = new Map<string, number>();

  constructor(spec: WorkflowSpec) {
    this.plan = planOf(normalise(spec));
    const slots = new Uint8Array(this.plan.steps.length * slotBytes);
    const none = { items: new Map(), admitted: new Set<number>() };
    this.state = { slots, kept: new Map(), maps: new Map(), cancelled: '', begunAtMs: 0, ...none };
    this.look();
  }

  /** Decides on what was seen, keeps it, and sends what is due. */
  look(seen: readonly Observation[] = []): RunView {
    this.nowTicks += 10;
    const { nowTicks, plan } = this;
    const { state, records, evaluation } = decide(plan, this.state, seen, { ...context, nowTicks });
    const kept = new Map(this.state.kept as Map<number, JsonText>);
    for (const { at, keep } of records) if (keep !== undefined) kept.set(at, keep);
    this.state = { ...state, kept };
    for (const at of evaluation.due) {
      const slot = { ...readSlot(state.slots, at), state: 'Published' as const, atTicks: nowTicks };
      this.state.slots.set(encodeSlot(slot), at * slotBytes);
    }
    this.rev += 1;
    return { plan, state: this.state, evaluation, payloadLimits };
  }

  inFlight(): readonly number[] {
    const found: number[] = [];
    forEachTaskSlot(this.plan, this.state.maps, (_step, _member, at) => {
      if (isInFlight(readSlot(this.state.slots, at).state)) found.push(at);
    });
    return found;
  }

  /** One task on its way ends. False when there is none. */
  end(which: number): boolean {
    const onTheirWay = this.inFlight();
    const at = onTheirWay[which % Math.max(1, onTheirWay.length)];
    if (at === undefined) return false;
    const { step: index, member } = placeOfSlot(this.state.maps, at);
    const step = this.plan.steps[index] as TaskStep;
    const call = callOf(this.look(), step, member, () => ({ state: 'Succeeded', reason: 'Succeeded', failed: [] }));
    if (call.form !== 'Plain') throw new Error('no errbacks here');
    const { args, kwargs } = call.call;
    const isList = step.task.startsWith('list') || call.call.task === 'celery.map';
    const result = (isList ? '[1, 2, 3]' : `{"${step.task}":[${args.join()}],"k":${kwargs}}`) as JsonText;
    const name = `${step.task}/${member}`;
    this.ended.set(name, (this.ended.get(name) ?? 0) + 1);
    const { attempt } = readSlot(this.state.slots, at);
    this.look([{ step: index, member, attempt, seen: 'Succeeded', result }]);
    return true;
  }

  finish(): string {
    for (let left = 2_000; this.end(0); left -= 1) if (left === 0) throw new Error('it never ends');
    const { evaluation } = this.look();
    return evaluation.stage === 'Ended' ? valueOf(this.plan, this.state, { step: 0, member: 0 }) : evaluation.stage;
  }

  stored(): StoredRun {
    const { rev, round, roundsAt } = this;
    const head = { uid, rev, round, roundsAt, retried: 0, planVersion, digest, cancelled: '' as const, begunAtMs: 0 };
    const { slots, kept, maps } = this.state;
    return {
      head,
      slots: slots.slice(),
      kept: new Map(kept as Map<number, JsonText>),
      maps: new Map(maps),
      outbox: [],
      ledger: new Map(),
    };
  }

  take(recovered: RecoveredRun | undefined): RecoveredRun {
    if (recovered === undefined) throw new Error('nothing was recovered');
    const { head, slots, kept, maps } = recovered.run;
    this.state = { ...this.state, slots, kept, maps, items: new Map(), admitted: new Set() };
    ({ rev: this.rev, round: this.round, roundsAt: this.roundsAt } = head);
    this.look();
    return recovered;
  }
}

const checkpointOf = (run: StoredRun) => {
  const { slots, maps, head } = run;
  const text = encodeCheckpoint({ ...head, slots, maps });
  return decodeCheckpoint(text ?? '', uid) ?? expect.fail(`no checkpoint: ${text}`);
};
const fromStatus = (run: TestRun, then: StoredRun, stored?: StoredRun) =>
  recoverFromStatus(run.plan, {
    ...{ uid, digest, checkpoint: checkpointOf(then), stored, nowTicks: run.nowTicks },
    ...{ rev: then.head.rev, round: then.head.round, running: 0 },
  });

const task = (name: string, more: object = {}) => ({ task: name, ...more });
const chain = { chain: [task('a'), task('b'), task('c'), task('d')] };
const apart = { chain: [task('a'), task('b', { immutable: true }), task('c', { immutable: true })] };
const chord = { chain: [{ group: [task('a'), task('b'), task('c')] }, task('d')] };
const map = { chain: [task('list'), { map: { each: { chain: [task('x'), task('y')] } } }, task('sum')] };

describe('a run whose operator lives', () => {
  test.each([
    { why: 'between two steps of a chain', spec: chain, ends: 2 },
    { why: 'in the middle of a chord', spec: chord, ends: 2 },
    { why: 'in the middle of a map', spec: map, ends: 4 },
    { why: 'after its end', spec: apart, ends: 3 },
  ])('sends again what was on its way and nothing else: $why', ({ spec, ends }) => {
    const [run, other] = [new TestRun(spec), new TestRun(spec)];
    for (let i = 0; i < ends; i += 1) run.end(i);
    const before = new Map(run.ended);
    const onTheirWay = run.inFlight().length;
    const { run: written, sentAgain, runAgain } = run.take(recoveredRun(run.plan, run.stored(), run.nowTicks));
    expect({ sentAgain, runAgain }).toEqual({ sentAgain: onTheirWay, runAgain: 0 });
    expect(written.head).toMatchObject({ round: 1, rev: ends * 2 + 2 });
    expect(run.finish()).toBe(other.finish());
    for (const [name, times] of before) expect(run.ended.get(name)).toBe(times);
  });

  test('ends where rounds end', () => {
    const run = new TestRun(chain);
    run.round = 4_095;
    expect(recoveredRun(run.plan, run.stored(), 0)).toBeUndefined();
  });
});

describe('a run of which Redis has nothing, under a new operator', () => {
  test.each([
    { why: 'a value that is needed is made again, and what made it', spec: chain, ends: 2, again: ['a', 'b'] },
    { why: 'a value that nobody needs is not', spec: apart, ends: 2, again: [] },
    { why: 'of a chord all of the header', spec: chord, ends: 2, again: ['a', 'b'] },
    {
      why: 'a body that ended needs its header no more',
      spec: { chain: [...chord.chain, task('e')] },
      ends: 4,
      again: ['d'],
    },
    { why: 'of a map its list, and all of its members', spec: map, ends: 3, again: ['list', 'x', 'x'] },
    {
      why: 'a name is a need',
      spec: { chain: [task('a', { name: 'n' }), task('b'), task('c', { immutable: true, args: [{ $result: 'n' }] })] },
      ends: 2,
      again: ['a'],
    },
  ])('$why', ({ spec, ends, again }) => {
    const [run, other] = [new TestRun(spec), new TestRun(spec)];
    for (let i = 0; i < ends; i += 1) run.end(0);
    const before = new Map(run.ended);
    const { runAgain } = run.take(fromStatus(run, run.stored()));
    expect(run.finish()).toBe(other.finish());
    const twice = [...run.ended]
      .filter(([name, times]) => times > 1 && before.has(name))
      .map(([name]) => name.split('/')[0]);
    // What had to be made anew to make them is counted with them.
    expect(new Set(twice)).toEqual(new Set(again.includes('d') ? ['a', 'b', 'c', 'd'] : again));
    expect(runAgain).toBeGreaterThanOrEqual(again.length);
  });

  test('counts as sent again what was on its way as far as anybody knows', () => {
    const run = new TestRun(chord);
    const then = run.stored();
    expect(fromStatus(run, then)?.sentAgain).toBe(3);
    run.end(0);
    expect(fromStatus(run, run.stored())).toMatchObject({ sentAgain: 2, runAgain: 1 });
  });

  test('takes an older snapshot for the values, and status for what ended after it', () => {
    const run = new TestRun({
      chain: [task('a'), task('b'), task('c', { immutable: true }), task('d', { immutable: true })],
    });
    run.end(0);
    const older = run.stored();
    run.end(0);
    run.end(0);
    const recovered = run.take(fromStatus(run, run.stored(), older));
    expect(recovered).toMatchObject({ runAgain: 0, run: { head: { round: 1, rev: run.rev - 1 } } });
    run.finish();
    expect([...run.ended.values()]).toEqual([1, 1, 1, 1]);
  });

  test.each([
    { why: 'another plan', change: { planVersion: planVersion + 1 } },
    { why: 'another spec', change: { digestStart: '00000000' } },
    { why: 'a map that is none', change: { maps: new Map([[0, { base: 4, count: 1, width: 1 }]]) } },
    { why: 'more slots than there are', change: { slots: new Uint8Array(800) } },
    { why: 'rounds without a beginning', change: { round: 3 } },
  ])('refuses a checkpoint of $why', ({ change }) => {
    const run = new TestRun(chain);
    const checkpoint = { ...checkpointOf(run.stored()), ...change };
    expect(
      recoverFromStatus(run.plan, {
        uid,
        digest,
        rev: 1,
        round: 0,
        running: 0,
        checkpoint,
        stored: undefined,
        nowTicks: 0,
      }),
    ).toBeUndefined();
  });
});

test('without a checkpoint the older snapshot is what there is, in a round that nobody used', () => {
  const run = new TestRun(chain);
  run.end(0);
  const stored = run.stored();
  const from = { uid, digest, rev: 40, round: 3, running: 0, checkpoint: undefined, nowTicks: 500 };
  expect(recoverFromStatus(run.plan, { ...from, stored })).toMatchObject({
    ...{ sentAgain: 1, runAgain: 0 },
    run: { head: { rev: 41, round: 4, roundsAt: [500, 500, 500, 501] } },
  });
  expect(recoverFromStatus(run.plan, { ...from, stored: undefined })).toBeUndefined();
});

describe('a run of which one value is gone', () => {
  test('makes it again within the round, under an attempt of its own', () => {
    const run = new TestRun(chord);
    run.end(0);
    const { kept, ...rest } = run.stored();
    const [lost = 0] = [...kept.keys()];
    const known = { ...rest, kept: new Map([...kept].filter(([at]) => at !== lost)) };
    const recovered = recoverValues(run.plan, known, run);
    expect(recovered).toMatchObject({ runAgain: 1, run: { head: { round: 0, rev: run.rev + 1 } } });
    expect(readSlot(recovered?.run.slots ?? new Uint8Array(), lost)).toMatchObject({
      state: 'Waiting',
      attempt: 1,
      lost: 1,
    });
    expect(recoverValues(run.plan, run.stored(), run)).toBeUndefined();
  });
});

const when = ['result == 1 || true', 'steps.n.state == "Succeeded"', 'steps.n.result != null || true', 'false'];
const member = fc.record({
  task: fc.constantFrom('a', 'b', 'list'),
  immutable: fc.boolean(),
  args: fc.constantFrom([], [{ $result: 'n' }]),
  when: fc.option(fc.constantFrom(...when), { nil: undefined }),
  link: fc.constantFrom([], [{ task: 'l' }], [{ task: 'l', immutable: true }]),
  onFailure: fc.constantFrom('Fail', 'Continue'),
});
const composite = fc.oneof(
  member,
  fc.record({ group: fc.array(member, { maxLength: 3 }), link: fc.constantFrom([], [{ task: 'g' }]) }),
  fc.record({
    map: fc.record({
      range: fc.nat({ max: 3 }),
      each: fc.record({ chain: fc.array(member, { minLength: 1, maxLength: 3 }) }),
    }),
  }),
  fc.record({
    map: fc.record({
      over: fc.constant([
        [1, 2],
        [3, 4],
      ]),
      task: fc.constant('x'),
      unpack: fc.boolean(),
    }),
  }),
  fc.record({ map: fc.record({ range: fc.constant(5), task: fc.constant('list'), chunk: fc.constant(2) }) }),
);
const richSpec = fc
  .array(composite, { maxLength: 5 })
  .map((rest) => ({ chain: [{ task: 'a', name: 'n' }, ...rest], finally: [{ task: 'f' }] }) as WorkflowSpec);

describe('a run of which nothing is lost', () => {
  test('never runs anything again, at whatever point it is taken up', () => {
    fc.assert(
      fc.property(richSpec, fc.array(fc.nat({ max: 99 }), { maxLength: 20 }), (spec, ends) => {
        const run = new TestRun(spec);
        for (let left = ends.length + 30; left > 0; left -= 1) {
          expect(recoverValues(run.plan, run.stored(), run)).toBeUndefined();
          if (!run.end(ends[left] ?? 0)) break;
        }
      }),
      { numRuns: 500 },
    );
  });
});

const { element } = fc.letrec<{ element: object; leaf: object }>((tie) => ({
  leaf: fc.record({ task: fc.constantFrom('a', 'b', 'c'), immutable: fc.boolean(), args: fc.constantFrom([], [7]) }),
  element: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    tie('leaf'),
    fc.record({ chain: fc.array(tie('element'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ group: fc.array(tie('element'), { maxLength: 3 }) }),
    fc.record({
      chord: fc.record({ header: fc.array(tie('element'), { minLength: 1, maxLength: 3 }), body: tie('element') }),
    }),
  ),
}));
const mapOf = (each: object, over: object): object => ({
  chain: [{ task: 'list' }, { map: { each, ...over } }, { task: 'end' }],
});
const anySpec = fc.oneof(
  element,
  richSpec,
  fc.tuple(element, fc.constantFrom({}, { range: 2 }, { over: [4, 5, 6] })).map(([each, over]) => mapOf(each, over)),
);

describe('a random run that loses everything', () => {
  test('ends with the value that it would have had, whatever was left and whoever found it', () => {
    fc.assert(
      fc.property(
        anySpec,
        fc.array(fc.nat({ max: 99 }), { maxLength: 12 }),
        fc.nat(),
        fc.nat(),
        (spec, ends, cut, kind) => {
          const [run, other] = [new TestRun(spec), new TestRun(spec)];
          const history = [run.stored()];
          const stages = [run.look().evaluation.stage];
          for (const which of ends) {
            if (!run.end(which)) break;
            history.push(run.stored());
            stages.push(run.look().evaluation.stage);
          }
          const [older, newest] = [history[cut % history.length] ?? run.stored(), history.at(-1) ?? run.stored()];
          const choices = [
            () => recoveredRun(run.plan, newest, run.nowTicks),
            () => fromStatus(run, newest),
            () => fromStatus(run, newest, older),
            () => fromStatus(run, older),
          ];
          const remembered = kind % 4 === 3 ? older : newest;
          const { run: written } = run.take(choices[kind % 4]?.());
          expect(written.head.rev).toBeGreaterThan(remembered.head.rev);
          // Once all has ended, nothing is made again for the sake of the last value.
          if (stages[history.indexOf(remembered)] !== 'Ended') expect(run.finish()).toBe(other.finish());
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
