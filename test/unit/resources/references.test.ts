import { describe, expect, test } from 'vitest';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import { summariseProblems } from '#core/resources/spec-problem.ts';

function problemsOf(value: unknown): string {
  const parsed = parseWorkflowSpec(value);
  return parsed.ok ? 'none' : summariseProblems(parsed.error);
}

/** A task of that name. */
const named = (name: string): object => ({ task: 't', name });
/** What speaks of `a`, in its arguments. */
const asks = { task: 't', args: [{ $result: 'a' }] };
const handler = [asks];

describe('a step may be spoken of by what certainly begins after it has ended', () => {
  test.each([
    { why: 'later in its chain', spec: { chain: [named('a'), asks] } },
    { why: 'much later, and deeper', spec: { chain: [named('a'), { task: 't' }, { group: [{ chain: [asks] }] }] } },
    { why: 'within an earlier member', spec: { chain: [{ group: [{ chain: [named('a')] }] }, asks] } },
    { why: 'in the header, by the body', spec: { chord: { header: [named('a')], body: asks } } },
    {
      why: 'by a group after it in a chain',
      spec: { chain: [{ group: [named('a'), named('b')] }, { group: [asks] }] },
    },
    { why: 'by its own link', spec: { chain: [{ ...named('a'), link: handler }] } },
    { why: 'by its own linkError', spec: { chain: [{ ...named('a'), linkError: handler }] } },
    { why: 'by a handler of what it is within', spec: { chain: [{ group: [named('a')], linkError: handler }] } },
    { why: "by the run's handlers", spec: { group: [named('a')], link: handler, linkError: handler } },
    { why: 'by finally', spec: { group: [named('a')], finally: handler } },
    { why: 'when it is a group itself', spec: { chain: [{ name: 'a', group: [] }, asks] } },
    { why: 'when it is a map itself', spec: { chain: [{ name: 'a', map: { task: 't', range: 3 } }, asks] } },
    { why: 'from within a map', spec: { chain: [named('a'), { map: { range: 3, each: asks } }] } },
    { why: "by a map's task", spec: { chain: [named('a'), { map: { range: 3, ...asks } }] } },
    { why: 'in the same each', spec: { map: { range: 3, each: { chain: [named('a'), asks] } } } },
    { why: 'by the handler of an each', spec: { map: { range: 3, each: { ...named('a'), link: handler } } } },
    { why: 'in a condition', spec: { chain: [named('a'), { task: 't', when: 'steps.a.state == "Failed"' }] } },
    { why: 'deep in kwargs', spec: { chain: [named('a'), { task: 't', kwargs: { x: [{ y: { $result: 'a' } }] } }] } },
  ])('$why', ({ spec }) => {
    expect(problemsOf(spec)).toBe('none');
  });
});

describe('but not', () => {
  const wayOut = 'put this after it in a chain, into the body of its chord, or into a handler';
  const uncertain = (path: string, at: string): string =>
    `${at}: speaks of "a" (${path}), which is not certain to have ended when this begins; ${wayOut}`;
  test.each([
    {
      why: 'by itself',
      spec: { chain: [{ ...named('a'), args: [{ $result: 'a' }] }] },
      says: uncertain('spec.chain[0]', 'spec.chain[0].args'),
    },
    {
      why: 'by what is before it',
      spec: { chain: [asks, named('a')] },
      says: uncertain('spec.chain[1]', 'spec.chain[0].args'),
    },
    {
      why: 'by what is beside it',
      spec: { group: [named('a'), asks] },
      says: uncertain('spec.group[0]', 'spec.group[1].args'),
    },
    {
      why: 'by what is beside it in a header',
      spec: { chord: { header: [named('a'), asks], body: named('b') } },
      says: uncertain('spec.chord.header[0]', 'spec.chord.header[1].args'),
    },
    {
      why: 'by the header, when it is the body',
      spec: { chord: { header: [asks], body: named('a') } },
      says: uncertain('spec.chord.body', 'spec.chord.header[0].args'),
    },
    {
      why: 'by what it holds',
      spec: { chain: [{ name: 'a', chain: [{ task: 't' }, asks] }] },
      says: uncertain('spec.chain[0]', 'spec.chain[0].chain[1].args'),
    },
    {
      why: 'by a handler of what it holds',
      spec: { chain: [{ name: 'a', group: [{ task: 't', link: handler }] }] },
      says: uncertain('spec.chain[0]', 'spec.chain[0].group[0].link[0].args'),
    },
    {
      why: 'by a handler of what is beside it',
      spec: { group: [named('a'), { task: 't', link: handler }] },
      says: uncertain('spec.group[0]', 'spec.group[1].link[0].args'),
    },
    {
      why: 'in its own condition',
      spec: { chain: [{ ...named('a'), when: 'steps.a.state == "x"' }] },
      says: uncertain('spec.chain[0]', 'spec.chain[0].when'),
    },
    {
      why: 'outside of its map',
      spec: { chain: [{ map: { range: 3, each: named('a') } }, asks] },
      says: 'spec.chain[1].args: speaks of "a", which runs for every item of a map (spec.chain[0].map.each); outside of it, speak of the map by a name of its own',
    },
    {
      why: "by the map's own handler",
      spec: { map: { range: 3, each: { chain: [named('a')] } }, link: handler },
      says: 'spec.link[0].args: speaks of "a", which runs for every item of a map (spec.map.each.chain[0]); outside of it, speak of the map by a name of its own',
    },
    {
      why: 'when nothing has a name',
      spec: asks,
      says: 'spec.args: speaks of "a", but no element has that name; give the element that is meant a name',
    },
    {
      why: 'by a slip of the pen',
      spec: { chain: [named('load_data'), { task: 't', when: 'steps.loaddata.state == "x"' }] },
      says: 'spec.chain[1].when: speaks of "loaddata", but no element has that name; did you mean load_data?',
    },
    {
      why: 'when it is another',
      spec: { chain: [named('first'), asks] },
      says: 'spec.chain[1].args: speaks of "a", but no element has that name; known here are first',
    },
  ])('$why', ({ spec, says }) => {
    expect(problemsOf(spec)).toBe(says);
  });
});

describe('a name', () => {
  test.each([
    {
      why: 'is unique',
      spec: { chain: [named('a'), { group: [named('a')] }] },
      says: 'spec.chain[1].group[0].name: is "a", as is that of spec.chain[0]; names are unique in a workflow',
    },
    {
      why: 'can be said in an expression',
      spec: { chain: [named('a-b')] },
      says: 'spec.chain[0].name: is no name: letters, digits and _ only, and no digit at the front',
    },
    {
      why: 'is not long',
      spec: { chain: [named('a'.repeat(64))] },
      says: 'spec.chain[0].name: is longer than 63 characters',
    },
    {
      why: 'is none of the root',
      spec: { ...named('a') },
      says: 'spec.name: has no meaning for the run as a whole; put the element into a chain of one, and this on it',
    },
    { why: 'is none of a handler', spec: { task: 't', link: [named('a')] }, says: 'spec.link[0].name: unknown field' },
  ])('$why', ({ spec, says }) => {
    expect(problemsOf(spec)).toContain(says);
  });

  test('may be __proto__, and is a name like others', () => {
    expect(problemsOf({ chain: [{ task: 't', args: [{ $result: '__proto__' }] }] })).toContain(
      'no element has that name',
    );
    expect(problemsOf({ chain: [named('__proto__'), { task: 't', args: [{ $result: '__proto__' }] }] })).toBe('none');
  });
});

describe('{"$result": …} holds', () => {
  test.each([
    {
      why: 'the name of a step only',
      args: [{ $result: 5 }],
      says: 'spec.chain[1].args: holds {"$result": …} with something else than the name of a step, or beside another key',
    },
    { why: 'nothing beside it', args: [{ $result: 'a', other: 1 }], says: 'beside another key' },
  ])('$why', ({ args, says }) => {
    expect(problemsOf({ chain: [named('a'), { task: 't', args }] })).toContain(says);
  });

  test('the place of one named argument, not of all', () => {
    const spec = { chain: [named('a'), { task: 't', kwargs: { $result: 'a' } }] };
    expect(problemsOf(spec)).toContain(
      'spec.chain[1].kwargs: is {"$result": …} as a whole; only the values of named arguments may be',
    );
  });

  test('the place of no item', () => {
    const spec = { chain: [named('a'), { map: { task: 't', over: [{ $result: 'a' }] } }] };
    expect(problemsOf(spec)).toContain(
      'spec.chain[1].map.over: holds {"$result": …}, which stands in args and kwargs only',
    );
  });
});

describe('when', () => {
  test.each([
    { why: 'is CEL', when: 'result >', says: 'spec.chain[1].when: is no expression in CEL' },
    { why: 'is not empty', when: '', says: 'spec.chain[1].when: is empty' },
    { why: 'is text', when: true, says: 'spec.chain[1].when: must be text' },
    { why: 'gives true or false', when: '1', says: 'spec.chain[1].when: gives a value of type int' },
    { why: 'is bounded', when: 'true'.padEnd(2049), says: 'spec.chain[1].when: is longer than 2048 characters' },
  ])('$why', ({ when, says }) => {
    expect(problemsOf({ chain: [named('a'), { task: 't', when }] })).toContain(says);
  });

  test('asks for no result where none comes in', () => {
    const first = { task: 't', when: 'result > 1' };
    const says = 'asks for result, but nothing comes in here; ask for steps.NAME.result';
    expect(problemsOf({ chain: [first] })).toBe(`spec.chain[0].when: ${says}`);
    expect(problemsOf({ group: [{ chain: [first] }] })).toBe(`spec.group[0].chain[0].when: ${says}`);
    expect(problemsOf({ chain: [{ task: 't' }, { group: [first] }] })).toBe('none');
    expect(problemsOf({ chord: { header: [], body: first } })).toBe('none');
    expect(problemsOf({ map: { range: 3, each: first } })).toBe('none');
  });
});
