import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { usages } from '#cli/usage.ts';
import { parseJson, stringifyJson } from '#core/base/json-text.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import { summariseProblems } from '#core/resources/spec-problem.ts';

function problemsOf(value: unknown): string {
  const parsed = parseWorkflowSpec(value);
  return parsed.ok ? 'none' : summariseProblems(parsed.error);
}

/** A task within `levels` chains. */
function nested(levels: number): object {
  return levels === 0 ? { task: 'a' } : { chain: [nested(levels - 1)] };
}

describe('a spec that can be run', () => {
  test.each([
    { why: 'a task alone', spec: '{"task":"add","args":[1,2],"kwargs":{"c":null},"immutable":true,"queue":"gpu"}' },
    {
      why: 'a chain of tasks, a group and a chord',
      spec: '{"chain":[{"task":"a"},{"group":[{"task":"b"},{"task":"c"}]},{"chord":{"header":[{"task":"d"}],"body":{"task":"e"}}}]}',
    },
    { why: 'an empty group, which is the empty list', spec: '{"group":[]}' },
    { why: 'an empty chain, which hands on what comes in', spec: '{"chain":[{"task":"a"},{"chain":[]}]}' },
    { why: 'an empty header, whose body gets the empty list', spec: '{"chord":{"header":[],"body":{"task":"e"}}}' },
    {
      why: 'handlers on the run and on elements',
      spec: '{"chain":[{"task":"a","link":[{"task":"l"}],"linkError":[{"task":"e","immutable":true}]}],"linkError":[{"task":"e"}],"finally":[{"task":"f"}],"defaultQueue":"cpu"}',
    },
    {
      why: 'numbers that JavaScript cannot hold, as they are written',
      spec: '{"task":"a","args":[1.0,12345678901234567890,1e400,{"x":-0.0}],"kwargs":{"n":2.50}}',
    },
    { why: 'the word $result as a value, which means nothing', spec: '{"task":"a","args":["$result"]}' },
  ])('$why', ({ spec }) => {
    const parsed = parseWorkflowSpec(parseJson(spec));
    expect(parsed.ok ? stringifyJson(parsed.value) : problemsOf(parseJson(spec))).toBe(spec);
  });

  test('sixteen levels of elements', () => {
    expect(problemsOf(nested(15))).toBe('none');
  });
});

describe('a spec that cannot', () => {
  const kinds = 'task, chain, group, chord, map';
  test.each([
    { why: 'no object', spec: [], says: 'spec: must be an object, but is a list' },
    {
      why: 'no kind',
      spec: { defaultQueue: 'a' },
      says: `spec: does not say what to run; give exactly one of ${kinds}`,
    },
    {
      why: 'two kinds',
      spec: { chain: [{ task: 'a', group: [] }] },
      says: `spec.chain[0]: has task and group side by side; give exactly one of ${kinds}, and put one within the other or both into a chain or group`,
    },
    {
      why: 'a kind that is no list',
      spec: { group: { task: 'a' } },
      says: 'spec.group: must be a list, but is an object',
    },
    { why: 'null in a list', spec: { group: [null] }, says: 'spec.group[0]: must be an object, but is null' },
    {
      why: 'a number in a list',
      spec: parseJson('{"group":[1.0]}'),
      says: 'spec.group[0]: must be an object, but is a number',
    },
    {
      why: 'a chord without body',
      spec: { chord: { header: [] } },
      says: 'spec.chord: has no body; a chord is a header, which is a list of elements, and a body, which is one element',
    },
    {
      why: 'a body that is a list',
      spec: { chord: { header: [], body: [] } },
      says: 'spec.chord.body: must be an object, but is a list',
    },
    {
      why: 'a task of two words',
      spec: { task: 'a b' },
      says: 'spec.task: is no task name: it may not hold blanks or any of * ? [ ]',
    },
    { why: 'a task that is a number', spec: { task: 5 }, says: 'spec.task: must be text' },
    {
      why: 'args that are an object',
      spec: { chain: [{ task: 'a' }, { task: 'b', args: {} }] },
      says: 'spec.chain[1].args: must be a list',
    },
    { why: 'kwargs that are a list', spec: { task: 'a', kwargs: [] }, says: 'spec.kwargs: must be an object' },
    {
      why: 'kwargs that are a number with its text',
      spec: parseJson('{"task":"a","kwargs":1.0}'),
      says: 'spec.kwargs: must be an object',
    },
    { why: 'immutable as text', spec: { task: 'a', immutable: 'yes' }, says: 'spec.immutable: must be true or false' },
    {
      why: 'a queue with capitals',
      spec: { task: 'a', queue: 'GPU' },
      says: 'spec.queue: is no object name: small letters, digits, - and . only, with a letter or digit at both ends',
    },
    {
      why: 'arguments of a group',
      spec: { group: [], args: [] },
      says: 'spec.args: goes with a task only; this is a group, so give it to the tasks within',
    },
    {
      why: "Python's spelling",
      spec: { task: 'a', link_error: [] },
      says: 'spec.link_error: unknown field; did you mean linkError?',
    },
    {
      why: 'a slip of the pen',
      spec: { chain: [{ group: [{ task: 'a', kwarg: {} }] }] },
      says: 'spec.chain[0].group[0].kwarg: unknown field; did you mean kwargs?',
    },
    {
      why: 'something that is near nothing',
      spec: { chord: { header: [], body: { task: 'a' }, timeLimit: '1h' } },
      says: 'spec.chord.timeLimit: unknown field; known here are header, body',
    },
    {
      why: 'a field of the run on an element',
      spec: { chain: [{ task: 'a', finally: [] }] },
      says: 'spec.chain[0].finally: stands for the whole run; move it to spec.finally',
    },
    {
      why: 'a key that would break the path',
      spec: { task: 'a', 'x\ny': 1 },
      says: 'spec."x\\ny": unknown field; known here are task, args, kwargs, immutable, queue, priority, countdown, eta, expires, retry, timeLimit, softTimeLimit, waitLimit, link, linkError, chain, group, chord, map, finally, defaultQueue, deadline, ttlAfterFinished, suspend, cancel, retryFailed, maxParallel, showResult',
    },
    {
      why: 'a handler that is a chain',
      spec: { task: 'a', link: [{ chain: [] }] },
      says: 'spec.link[0].chain: unknown field; known here are task, args, kwargs, immutable, queue, priority, countdown, eta, expires, retry, timeLimit, softTimeLimit, waitLimit; spec.link[0]: has no task; only single tasks may stand here',
    },
    {
      why: 'seventeen levels',
      spec: nested(16),
      says: `spec${'.chain[0]'.repeat(16)}: elements stand within elements more than 16 levels deep; flatten chains within chains`,
    },
  ])('$why', ({ spec, says }) => {
    expect(problemsOf(spec)).toBe(says);
  });

  test('more members than allowed, counted over the whole tree', () => {
    const group = Array.from({ length: 125_000 }, () => ({ task: 'a' }));
    expect(problemsOf({ chain: [{ group }, { group: group.slice(3) }] })).toBe('none');
    expect(problemsOf({ chain: [{ group }, { group }] })).toContain('more than 250000 members');
  });

  test('says the first three of many problems, counts the rest, and names the command that shows them', () => {
    const problems = problemsOf({ group: [{}, {}, {}, {}, {}] });
    expect(problems.split('; ')).toHaveLength(7);
    expect(problems).toMatch(/; and 2 more, which arpeggio check FILE shows$/);
    expect(usages.check).toMatch(/^arpeggio check FILE/);
    expect(problemsOf({ group: [{}, {}, {}] })).not.toContain('more');
  });
});

describe('strangers', () => {
  test('any JSON at all is judged without an exception', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('chain', 'group', 'chord', 'task', 'args', 'link'), (json, key) => {
        const stranger = JSON.parse(json) as unknown;
        for (const value of [stranger, { [key]: stranger }, { chain: [{ [key]: stranger }] }]) {
          expect(typeof parseWorkflowSpec(value).ok).toBe('boolean');
        }
      }),
    );
  });

  test('arguments nested deeper than a stack are taken', () => {
    const depth = 100_000;
    let deep: unknown = 1;
    for (let level = 0; level < depth; level += 1) deep = [deep];
    expect(problemsOf({ task: 'a', args: [deep] })).toBe('none');
  });

  test("an object's own machinery is no known field", () => {
    expect(problemsOf(JSON.parse('{"task":"a","__proto__":{},"constructor":1}'))).toContain(
      'spec.__proto__: unknown field',
    );
  });
});

test('ten thousand members are read in no more time than forty passes of JSON over them take', () => {
  const spec = {
    group: Array.from({ length: 10_000 }, (_, index) => ({ task: 'noop', args: [index], kwargs: { a: 1 } })),
  };
  const leastMs = (work: () => void): number => {
    const times = Array.from({ length: 6 }, () => {
      const startedMs = performance.now();
      work();
      return performance.now() - startedMs;
    });
    return Math.min(...times);
  };
  const parseMs = leastMs(() => expect(parseWorkflowSpec(spec).ok).toBe(true));
  const jsonMs = leastMs(() => void JSON.parse(JSON.stringify(spec)));
  expect(parseMs).toBeLessThan(40 * jsonMs);
});
