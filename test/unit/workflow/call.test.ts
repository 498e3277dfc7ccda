import { describe, expect, test } from 'vitest';
import { parseJson, type JsonText } from '#core/base/json-text.ts';
import { defaultPayloadLimits } from '#core/base/payload-limits.ts';
import { decodeTaskId } from '#core/base/task-id.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import type { TaskStep } from '#core/canvas/plan.ts';
import { decodeCarrier } from '#core/celery/carrier.ts';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import { callOf, type RunOutcome } from '#core/workflow/call.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import { evaluate } from '#core/workflow/evaluate.ts';
import { initialState } from '#core/workflow/initial-state.ts';
import { decodeFailure, encodeFailure, engineFailure, readError } from '#core/workflow/failure.ts';
import { messageFor, messageIdOf, rootIdOf, taskIdOf } from '#core/workflow/message.ts';
import { withSlots, type SlotState } from '#core/workflow/slots.ts';
import { ResultLost, ResultTooLarge, valueOf } from '#core/workflow/value.ts';

const json = (text: string): JsonText => text as JsonText;
const outcome = (): RunOutcome => ({ state: 'Failed', reason: 'Failed', failed: ['id'] });
const exc = json('{"exc_type": "ValueError", "exc_message": ["no", NaN, 1.0], "exc_module": "builtins"}');
const failure = encodeFailure({ exc, traceback: json('"tb"') });

/** A run in which tasks, by name, ended with a value or as they are said to have. */
function view(spec: unknown, ends: Readonly<Record<string, string | { state: SlotState; kept?: string }>>): RunView {
  const plan = planOf(normalise(parseJson(JSON.stringify(spec)) as WorkflowSpec));
  const kept = new Map<number, JsonText>();
  const changes = plan.steps.flatMap((step) => {
    const end = step.kind === 'Task' ? ends[step.task] : undefined;
    if (end === undefined) return [];
    const { state, kept: text } = typeof end === 'string' ? { state: 'Succeeded' as const, kept: end } : end;
    if (text !== undefined) kept.set(step.index, json(text));
    return [[step.index, { state, lost: 0, carried: false, attempt: 1, atTicks: 0 }] as const];
  });
  const slots = withSlots(new Uint8Array(0), changes);
  const state = { ...initialState(0), slots, kept };
  const payloadLimits = defaultPayloadLimits;
  return { plan, state, evaluation: evaluate(plan, state, { nowTicks: 0, judge: () => 'Holds' }), payloadLimits };
}

function taskNamed({ plan }: RunView, name: string): TaskStep {
  const step = plan.steps.find((each) => each.kind === 'Task' && each.task === name);
  if (step?.kind !== 'Task') throw new Error(`no task ${name}`);
  return step;
}

const t = (task: string, given: object = {}) => ({ task, ...given });

describe('the value of', () => {
  const ends = { a: '1.0', b: 'NaN', c: '"c"', d: '[ ]' };
  test.each([
    { why: 'a task is its text', spec: t('a'), want: '1.0' },
    { why: 'a chain is its last', spec: { chain: [t('a'), t('b')] }, want: 'NaN' },
    { why: 'a group is the list in the order written', spec: { group: [t('b'), t('a')] }, want: '[NaN, 1.0]' },
    { why: 'an empty group is the empty list', spec: { group: [] }, want: '[]' },
    {
      why: 'nested groups are nested lists',
      spec: { group: [{ group: [t('a'), { group: [] }] }, { chain: [t('c'), t('d')] }] },
      want: '[[1.0, []], [ ]]',
    },
    { why: 'a chord is its body', spec: { chord: { header: [t('a'), t('b')], body: t('c') } }, want: '"c"' },
  ])('$why', ({ spec, want }) => {
    const { plan, state } = view(spec, ends);
    expect(valueOf(plan, state, { step: 0, member: 0 })).toBe(want);
  });

  test('what failed and was told to go on is null', () => {
    const { plan, state } = view({ group: [t('a'), t('b')] }, { a: { state: 'Continued', kept: failure }, b: '1' });
    expect(valueOf(plan, state, { step: 0, member: 0 })).toBe('[null, 1]');
  });

  test('a step whose text is gone is an error that names the step', () => {
    const { plan, state } = view({ group: [t('a'), t('b')] }, { a: '1', b: { state: 'Succeeded' } });
    expect(() => valueOf(plan, state, { step: 0, member: 0 })).toThrow(ResultLost);
    expect(() => valueOf(plan, state, { step: 0, member: 0 })).toThrow(
      'spec.group[1]: its result is needed and is not kept any more',
    );
  });
});

describe('a call', () => {
  const args = { args: [1.5], kwargs: { k: 1 } };
  test.each([
    { why: 'of the first has its own arguments', spec: t('x', args), want: ['1.5'] },
    { why: 'gets what comes in first', spec: { chain: [t('a'), t('x', args)] }, want: ['1.0', '1.5'] },
    {
      why: 'that is immutable gets its own',
      spec: { chain: [t('a'), t('x', { ...args, immutable: true })] },
      want: ['1.5'],
    },
    {
      why: 'after a group gets the list as one',
      spec: { chain: [{ group: [t('a'), t('b')] }, t('x', args)] },
      want: ['[1.0, NaN]', '1.5'],
    },
    { why: 'of a callback gets the value', spec: { ...t('a'), link: [t('x', args)] }, want: ['1.0', '1.5'] },
    {
      why: 'of finally gets the outcome',
      spec: { ...t('a'), finally: [t('x', args)] },
      want: [JSON.stringify(outcome()), '1.5'],
    },
    {
      why: 'of an immutable finally gets none',
      spec: { ...t('a'), finally: [t('x', { ...args, immutable: true })] },
      want: ['1.5'],
    },
  ])('$why', ({ spec, want }) => {
    const seen = view(spec, { a: '1.0', b: 'NaN' });
    expect(callOf(seen, taskNamed(seen, 'x'), 0, outcome)).toEqual({
      form: 'Plain',
      call: { task: 'x', args: want, kwargs: '{"k":1}' },
    });
  });

  test('that would carry more than 16 MiB is refused with what to do instead', () => {
    const big = `"${'x'.repeat(1_000_000)}"`;
    const names = Array.from({ length: 17 }, (_, i) => `m${i}`);
    const spec = { chain: [{ group: names.map((name) => t(name)) }, t('x')] };
    const seen = view(spec, Object.fromEntries(names.map((name) => [name, big])));
    expect(() => callOf(seen, taskNamed(seen, 'x'), 0, outcome)).toThrow(
      /spec\.chain\[0\]: its list of results.*return references instead/,
    );
  });

  test.each([
    { why: 'what comes in', given: {}, what: 'what comes in' },
    {
      why: 'a named list',
      given: { immutable: true, args: [{ $result: 'all' }] },
      what: 'an argument that names results',
    },
  ])('is held to another limit where one is set: $why', ({ given, what }) => {
    const spec = { chain: [{ name: 'all', group: [t('a'), t('b')] }, t('x', given)] };
    const ends = { a: `"${'x'.repeat(1_000)}"`, b: `"${'x'.repeat(1_000)}"` };
    const held = (listBytes: number) => ({ ...view(spec, ends), payloadLimits: { resultBytes: 1_024, listBytes } });
    const call = (seen: RunView) => () => callOf(seen, taskNamed(seen, 'x'), 0, outcome);
    expect(call(held(2_008))).not.toThrow();
    expect(call(held(2_007))).toThrow(
      `spec.chain[1]: ${what} is 2008 bytes, more than the 2007 that one message carries`,
    );
    expect(call(held(2_007))).toThrow(/return references.*administrator.*payloads\.maxListBytes/);
  });

  test('of an errback tells the first task that failed, as it was called', () => {
    const spec = { chain: [t('a'), { group: [t('b'), t('c', args), t('d')] }], linkError: [t('e', { args: ['own'] })] };
    const seen = view(spec, {
      a: '1.0',
      b: '2',
      c: { state: 'Failed', kept: failure },
      d: { state: 'Failed', kept: failure },
    });
    expect(callOf(seen, taskNamed(seen, 'e'), 0, outcome)).toMatchObject({
      form: 'Errback',
      own: { args: ['"own"'], kwargs: '{}' },
      failed: { step: 4, member: 0, call: { task: 'c', args: ['1.0', '1.5'] }, failure: { exc, traceback: '"tb"' } },
    });
  });
});

describe('a message', () => {
  const run = { uid: 'c0ffee00-1234-4abc-8def-0123456789ab', run48: 'c0ffee001234', round: 3, roundsAt: [0, 0, 0] };
  const idOf = (step: number, attempt: number): string => taskIdOf(run, { step, member: 0, attempt });
  const form = { queue: 'wire', deliveryTag: 'tag', carriesErrbacks: false };

  function sent(seen: RunView, name: string, carriesErrbacks = false) {
    const step = taskNamed(seen, name);
    const due = { step, member: 0, call: callOf(seen, step, 0, outcome), nowMs: 0 };
    const built = messageFor(run, seen, due, { ...form, carriesErrbacks });
    const decoded = decodeTaskMessage(built.message);
    if (!decoded.ok) throw new Error(decoded.error.message);
    return { ...built, ...decoded.value };
  }

  test('says who it is, whose it is and what it is for', () => {
    const seen = view(
      { chain: [t('a'), t('x', { args: [2.5], kwargs: { k: 1 } })] },
      { a: '1.0', x: { state: 'Waiting' } },
    );
    const message = sent(seen, 'x');
    expect(decodeTaskId(message.id)).toEqual({
      run48: run.run48,
      round: 3,
      step: 2,
      member: 0,
      attempt: 1,
      kind: 'Message',
    });
    expect(message).toMatchObject({
      ...{ task: 'x', argsText: '[1.0, 2.5]', kwargsText: '{"k":1}', routingKey: 'wire', carried: false },
      ...{ rootId: rootIdOf(run), parentId: idOf(1, 1), ignoreResult: false },
    });
    expect(message.headers.get('arpeggio_key')).toBe(`"${run.uid}/2/0"`);
    expect(message).not.toHaveProperty('prerequisite');
  });

  test('says of a task that shall not run twice that its message shall not, either', () => {
    const headersOf = (more: object) =>
      sent(view({ chain: [t('a'), t('x', more)] }, { a: '1', x: { state: 'Waiting' } }), 'x').headers;
    expect(headersOf({ retry: { onLost: 'Fail' } }).get('arpeggio_on_lost')).toBe('"Fail"');
    expect(headersOf({ retry: { maxRetries: 1 } }).has('arpeggio_on_lost')).toBe(false);
  });

  const failing = {
    chain: [t('a'), t('b', { args: [2.5] })],
    linkError: [t('e', { args: ['own'], kwargs: { k: 1 } })],
  };
  const failed = { a: '1.0', b: { state: 'Failed' as const, kept: failure } };

  test('of an errback to our own workers holds request, exception and traceback', () => {
    const seen = view(failing, failed);
    const { argsText, task, id } = sent(seen, 'e');
    const failedId = idOf(2, 1);
    const request = `{"id":"${failedId}","task":"b","retries":0,"root_id":"${rootIdOf(run)}","parent_id":null,"args":[1.0, 2.5],"kwargs":{}}`;
    expect(argsText).toBe(`[${request}, ${exc}, "tb", "own"]`);
    expect([task, decodeTaskId(id)?.kind]).toEqual(['e', 'Message']);
  });

  test('of an errback to other workers is a carrier that calls it with the failed task’s own request', () => {
    const seen = view(failing, failed);
    const message = sent(seen, 'e', true);
    expect(message).toMatchObject({ task: 'celery.chord_unlock', carried: true, ignoreResult: true });
    expect(decodeTaskId(message.id)).toMatchObject({ step: 3, kind: 'Carrier' });
    expect(messageIdOf(run, { step: 3, member: 0 }, { attempt: 0, carried: true })).toBe(message.id);
    expect(messageIdOf(run, { step: 3, member: 0 }, { attempt: 0, carried: false })).toBe(idOf(3, 0));
    expect(message).not.toHaveProperty('prerequisite');
    expect(decodeCarrier(message.argsText)).toMatchObject({
      value: {
        failed: { id: idOf(2, 1), task: 'b', argsText: '[1.0, 2.5]' },
        handlerId: idOf(3, 0),
        errbacks: [{ task: 'e', argsText: '["own"]', kwargsText: '{"k":1}', immutable: false }],
      },
    });
  });

  test('of an errback that expires is not refused as a carrier, for nobody would hear of it', () => {
    const spec = { ...failing, linkError: [t('e', { expires: '5s' })] };
    expect(sent(view(spec, failed), 'e').expires).not.toBeNull();
    expect(sent(view(spec, failed), 'e', true).expires).toBeNull();
  });

  test('of an errback of what was continued tells of the failed task by its own id', () => {
    const seen = view(
      { ...failing, chain: [t('a'), t('b', { onFailure: 'Continue', linkError: [t('e')] })], linkError: [] },
      {
        a: '1.0',
        b: { state: 'Continued', kept: failure },
      },
    );
    expect(decodeCarrier(sent(seen, 'e', true).argsText)).toMatchObject({ value: { failed: { id: idOf(2, 1) } } });
  });

  test.each([
    { why: 'was lost', end: { state: 'Lost', kept: failure } },
    {
      why: 'was too large, with its SUCCESS in the result store',
      end: { state: 'Failed', kept: encodeFailure(engineFailure('ResultTooLarge', 'x')) },
    },
    { why: 'was revoked, while a copy of it may yet succeed', end: { state: 'Cancelled', kept: failure } },
  ] as const)('whose failed task $why goes with a FAILURE to be stored first, under an id of its own', ({ end }) => {
    const message = sent(view(failing, { a: '1', b: end }), 'e', true);
    const id = message.prerequisite?.id ?? '';
    expect(decodeTaskId(id)).toMatchObject({ step: 2, attempt: 1, kind: 'Carrier' });
    expect(message.prerequisite?.failure).toEqual(decodeFailure(json(end.kept)));
    expect(decodeCarrier(message.argsText)).toMatchObject({ value: { failed: { id } } });
  });
});

describe('a failure', () => {
  test.each(['null', '"a \\"tb\\"\\n"'])('comes back as it was stored, with traceback %s', (traceback) => {
    const given = { exc, traceback: json(traceback) };
    expect(decodeFailure(encodeFailure(given))).toEqual(given);
  });

  test('that is very long is cut to be read', () => {
    const long = 'x'.repeat(100_000);
    const given = { exc: json(`{"exc_type":"E","exc_message":["${long}", NaN]}`), traceback: json(`"${long}"`) };
    const kept = encodeFailure(given);
    expect(kept.length).toBeLessThan(20_000);
    expect(readError(decodeFailure(kept).exc)).toMatchObject({ type: 'E', message: 'x'.repeat(256) });
    expect(decodeFailure(kept).traceback).toMatch(/^"x+\\n… cut"$/);
  });

  test('that was not kept is said so', () => {
    expect(readError(decodeFailure(undefined).exc)).toMatchObject({
      type: 'Unknown',
      message: 'the failure was not kept',
    });
  });

  test.each([
    {
      why: 'its arguments',
      text: '{"exc_type":"E","exc_message":["a",1.0,{"b":NaN}]}',
      want: { type: 'E', message: 'a, 1.0, {"b":"NaN"}' },
    },
    { why: 'an old writer’s string', text: '{"exc_type":"E","exc_message":"a"}', want: { type: 'E', message: 'a' } },
    { why: 'no arguments', text: '{"exc_type":"E"}', want: { type: 'E', message: '' } },
    { why: 'something else', text: '"broken"', want: { type: 'Error', message: 'broken' } },
    { why: 'null', text: 'null', want: { type: 'Error', message: 'null' } },
  ])('is read with $why', ({ text, want }) => expect(readError(json(text))).toMatchObject(want));
});

test('a list of more results than a text holds is refused by the lengths of its parts', () => {
  const { plan, state } = view({ map: { range: 600, task: 'a' } }, {});
  const done = { state: 'Succeeded' as const, lost: 0, carried: false, attempt: 0, atTicks: 0 };
  const members = Array.from({ length: 600 }, (_, member) => [2 + member, done] as const);
  const wide = {
    ...state,
    slots: withSlots(state.slots, members),
    maps: new Map([[0, { base: 2, count: 600, width: 1 }]]),
    kept: { get: () => json(`"${'x'.repeat(1024 * 1024 - 2)}"`) },
  };
  expect(() => valueOf(plan, wide, { step: 0, member: 0 })).toThrow(ResultTooLarge);
});
