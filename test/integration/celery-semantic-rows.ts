import { canvasOf } from '../support/celery-canvas/notation.ts';

/**
 * What Celery's protocol notes say of a canvas, and what a Workflow makes of it over unmodified workers. What only a client
 * or a worker can do has no row: the insides of messages, options at the call, `add_to_chord`, a worker killed as a whole.
 */
export interface Row {
  /** The number of the section in the notes, and what it says. */
  readonly row: string;
  readonly spec: object;
  /** Of the run. Without it the run fails, with `failure`. */
  readonly result?: unknown;
  /** The class of the exception that the run's result is. */
  readonly failure?: string;
  /** Every call, in any order: the name, the arguments as JSON, and of an errback what it was told. */
  readonly calls: readonly string[];
  /** By path. */
  readonly states?: Readonly<Record<string, string>>;
  /** Of the task that stands first, when it was sent more than once: 0 is the first. */
  readonly attempt?: number;
}

/** A task of `semantics.py`. */
export function task(name: string, at: string, kwargs: object = {}): { task: string; kwargs: object } {
  return { task: name, kwargs: { at, ...kwargs } };
}

const chains: readonly Row[] = [
  {
    row: '4.2 the steps of a chain run one after the other, each given the result of the one before',
    spec: canvasOf('chain(t0, t1, t2)'),
    result: 't2',
    calls: ['t0[]', 't1["t0"]', 't2["t1"]'],
  },
  {
    row: '4.2 the result stands before the step’s own arguments, and its keyword arguments are as written',
    spec: { chain: [task('named', 't0', { a: 1 }), { ...task('named', 't1', { b: [2] }), args: ['own'] }] },
    result: { b: [2] },
    calls: ['t0[]{"a":1}', 't1[{"a":1},"own"]{"b":[2]}'],
  },
  {
    row: '4.2 an immutable step gets nothing but its own arguments',
    spec: canvasOf('chain(t0, t1!, t2)'),
    result: 't2',
    calls: ['t0[]', 't1[]', 't2["t1"]'],
  },
  {
    row: '4.2 what comes into a chain goes to its first step; a chain of chains is one chain',
    spec: canvasOf('chain(t0, chain(t1, chain(t2)), t3)'),
    result: 't3',
    calls: ['t0[]', 't1["t0"]', 't2["t1"]', 't3["t2"]'],
  },
  {
    row: '4.2 an empty chain hands on what comes in, where Celery has none',
    spec: { chain: [canvasOf('t0'), { chain: [] }, canvasOf('t1')] },
    result: 't1',
    calls: ['t0[]', 't1["t0"]'],
  },
  {
    row: '4.2 a callback of a chain gets the result of its last step',
    spec: canvasOf('chain(t0, t1)>t2'),
    result: 't1',
    calls: ['t0[]', 't1["t0"]', 't2["t1"]'],
  },
  {
    row: '4.2 an errback of a chain is called once, for the step that failed',
    spec: canvasOf('chain(t0, t1✗, t2)~t3'),
    failure: 'ValueError',
    calls: ['t0[]', 't1["t0"]', 't3[]←t1'],
    states: { 'spec.chain[1]': 'Failed', 'spec.chain[2]': 'Skipped' },
  },
  {
    row: '4.2 a group followed by a task is a chord',
    spec: canvasOf('chain(group(t0, t1), t2)'),
    result: 't2',
    calls: ['t0[]', 't1[]', 't2[["t0","t1"]]'],
  },
  {
    row: '4.2 a task, a group and a task: the group is given the result, and joined',
    spec: canvasOf('chain(t0, group(t1, t2), t3)'),
    result: 't3',
    calls: ['t0[]', 't1["t0"]', 't2["t0"]', 't3[["t1","t2"]]'],
  },
  {
    row: '4.2 a chord followed by a task: the task follows the body',
    spec: canvasOf('chain(chord([t0, t1], t2), t3)'),
    result: 't3',
    calls: ['t0[]', 't1[]', 't2[["t0","t1"]]', 't3["t2"]'],
  },
  {
    row: '4.2 a group of one stays a list of one, where Celery unrolls it',
    spec: canvasOf('chain(group(t0), t1)'),
    result: 't1',
    calls: ['t0[]', 't1[["t0"]]'],
  },
  {
    row: '4.2 a group at the end of a chain stays a group',
    spec: canvasOf('chain(t0, group(t1, t2))'),
    result: ['t1', 't2'],
    calls: ['t0[]', 't1["t0"]', 't2["t0"]'],
  },
  {
    row: '4.2 the errback of a chain of a group and a task is called when the header fails',
    spec: canvasOf('chain(group(t0, t1✗), t2)~t3'),
    failure: 'ValueError',
    calls: ['t0[]', 't1[]', 't3[]←t1'],
    states: { 'spec.chain[1]': 'Skipped' },
  },
  {
    row: '4.2 the errback of a chain of a group and a task is called when the body fails',
    spec: canvasOf('chain(group(t0, t1), t2✗)~t3'),
    failure: 'ValueError',
    calls: ['t0[]', 't1[]', 't2[["t0","t1"]]', 't3[]←t2'],
  },
];

const groups: readonly Row[] = [
  {
    row: '4.3 the members of a group run whatever becomes of the others',
    spec: canvasOf('group(t0, t1✗, t2)'),
    failure: 'ValueError',
    calls: ['t0[]', 't1[]', 't2[]'],
    states: { 'spec.group[0]': 'Succeeded', 'spec.group[1]': 'Failed', 'spec.group[2]': 'Succeeded' },
  },
  {
    row: '4.3 the results of a group are in the order of its members, not of their ends',
    spec: { group: [task('sleeps', 't0', { seconds: 0.3 }), task('succeed', 't1')] },
    result: ['slept', 't1'],
    calls: ['t0[]', 't1[]'],
  },
  {
    row: '4.3 a group in a group is a list in a list, where Celery flattens it',
    spec: canvasOf('group(t0, group(t1, t2), group(t3))'),
    result: ['t0', ['t1', 't2'], ['t3']],
    calls: ['t0[]', 't1[]', 't2[]', 't3[]'],
  },
  {
    row: '4.3 a callback of a group is called once, with the list, where Celery calls it for the first member',
    spec: canvasOf('group(t0, t1)>t2'),
    result: ['t0', 't1'],
    calls: ['t0[]', 't1[]', 't2[["t0","t1"]]'],
  },
  {
    row: '4.3 an errback of a group is called once, where Celery calls it for each member that failed',
    spec: canvasOf('group(t0✗, t1✗, t2)~t3'),
    failure: 'ValueError',
    calls: ['t0[]', 't1[]', 't2[]', 't3[]←t0'],
  },
  { row: '4.3 an empty group is done at once', spec: canvasOf('group()'), result: [], calls: [] },
  {
    row: '4.3 an empty group in a chain is the empty list, where Celery leaves it out',
    spec: canvasOf('chain(t0, group(), t1)'),
    result: 't1',
    calls: ['t0[]', 't1[[]]'],
  },
];

const chords: readonly Row[] = [
  {
    row: '4.4 the body is given one list, before its own arguments',
    spec: { chord: { header: [canvasOf('t0'), canvasOf('t1')], body: { ...task('succeed', 't2'), args: ['own'] } } },
    result: 't2',
    calls: ['t0[]', 't1[]', 't2[["t0","t1"],"own"]'],
  },
  {
    row: '4.4 a body is called at once, with an empty list, when the header is empty',
    spec: canvasOf('chord([], t0)'),
    result: 't0',
    calls: ['t0[[]]'],
  },
  {
    row: '4.4 members of a header may be chains, groups and chords',
    spec: canvasOf('chord([chain(t0, t1), group(t2, t3), chord([t4, t5], t6)], t7)'),
    result: 't7',
    calls: ['t0[]', 't1["t0"]', 't2[]', 't3[]', 't4[]', 't5[]', 't6[["t4","t5"]]', 't7[["t1",["t2","t3"],"t6"]]'],
  },
  {
    row: '4.4 a body may be a chain, a group or a chord',
    spec: canvasOf('chain(chord([t0], chain(t1, t2)), chord([t3], group(t4, t5)), chord([t6], chord([t7], t8)))'),
    result: 't8',
    calls: [
      ...['t0[]', 't1[["t0"]]', 't2["t1"]', 't3["t2"]', 't4[["t3"]]', 't5[["t3"]]'],
      ...['t6[["t4","t5"]]', 't7[["t6"]]', 't8[["t7"]]'],
    ],
  },
  {
    row: '4.4 an immutable body gets no list',
    spec: canvasOf('chord([t0, t1], t2!)'),
    result: 't2',
    calls: ['t0[]', 't1[]', 't2[]'],
  },
  {
    row: '4.4 an errback of a chord is called once when its header fails, whoever of it did',
    spec: canvasOf('chord([t0✗, t1✗], t2)~t3'),
    failure: 'ValueError',
    calls: ['t0[]', 't1[]', 't3[]←t0'],
    states: { 'spec.chord.body': 'Skipped' },
  },
  {
    row: '4.4 an errback of a chord is called once when its body fails',
    spec: canvasOf('chord([t0, t1], t2✗)~t3'),
    failure: 'ValueError',
    calls: ['t0[]', 't1[]', 't2[["t0","t1"]]', 't3[]←t2'],
  },
  {
    row: '4.4 a chord in a chain is given the result',
    spec: canvasOf('chain(t0, chord([t1, t2!], t3), t4)'),
    result: 't4',
    calls: ['t0[]', 't1["t0"]', 't2[]', 't3[["t1","t2"]]', 't4["t3"]'],
  },
];

const handlers: readonly Row[] = [
  {
    row: '4.5 every callback is given the result; an immutable one is not',
    spec: canvasOf('t0>t1>t2!'),
    result: 't0',
    calls: ['t0[]', 't1["t0"]', 't2[]'],
  },
  {
    row: '4.5 a callback is called once, after the last try of a task that Celery retries',
    spec: { ...task('retries', 't0', { failures: 2 }), link: [task('succeed', 't1')] },
    result: 2,
    calls: ['t0[]', 't0[]', 't0[]', 't1[2]'],
  },
  {
    row: '4.5 a callback that fails changes nothing',
    spec: canvasOf('chain(t0>t1✗, t2)'),
    result: 't2',
    calls: ['t0[]', 't1["t0"]', 't2["t0"]'],
    states: { 'spec.chain[0].link[0]': 'Failed' },
  },
  {
    row: '4.6 an errback of three arguments is called with the request, the exception and the traceback, once for each that it is linked to',
    spec: canvasOf('chain(t0, t1✗~t2~t3)~t4'),
    failure: 'ValueError',
    calls: ['t0[]', 't1["t0"]', 't2[]←t1', 't3[]←t1', 't4[]←t1'],
  },
  {
    row: '4.6 an errback that raises changes nothing, and keeps no other from being called',
    spec: {
      chain: [{ ...canvasOf('t0✗'), linkError: [task('told_and_raises', 't1'), task('told', 't2')] }],
      finally: [{ ...task('succeed', 't3'), immutable: true }],
    },
    failure: 'ValueError',
    calls: ['t0[]', 't1[]', 't2[]←t0', 't3[]'],
  },
  {
    row: '4.6 an errback that is bound is sent as a message; an immutable one is told nothing',
    spec: { ...canvasOf('t0✗'), linkError: [{ ...task('succeed', 't1'), immutable: true }] },
    failure: 'ValueError',
    calls: ['t0[]', 't1[]'],
  },
  {
    row: '4.6 an errback that no worker knows keeps nothing from ending',
    spec: { ...canvasOf('t0✗'), linkError: [task('nobody', 't1'), task('told', 't2')] },
    failure: 'ValueError',
    calls: ['t0[]', 't2[]←t0'],
  },
];

export const rows: readonly Row[] = [...chains, ...groups, ...chords, ...handlers];
