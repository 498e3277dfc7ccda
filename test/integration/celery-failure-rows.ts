import { canvasOf } from '../support/celery-canvas/notation.ts';
import type { CeleryRelease } from '../support/celery.ts';
import { task, type Row } from './celery-semantic-rows.ts';

const failures: readonly Row[] = [
  {
    row: '4.7 an exception: the task has failed, and what follows is skipped',
    spec: canvasOf('chain(t0✗~t1, t2, group(t3, t4), t5)'),
    failure: 'ValueError',
    calls: ['t0[]', 't1[]←t0'],
    states: { 'spec.chain[0]': 'Failed', 'spec.chain[1]': 'Skipped', 'spec.chain[2].group[0]': 'Skipped' },
  },
  {
    row: '4.7 a task whose retries are used up fails with the exception it gave',
    spec: { chain: [task('retries_with', 't0'), canvasOf('t1')], linkError: [task('told', 't2')] },
    failure: 'KeyError',
    calls: ['t0[]', 't0[]', 't2[]←t0'],
  },
  {
    row: '4.7 a task whose retries are used up fails with MaxRetriesExceededError',
    spec: task('retries', 't0', { failures: 9 }),
    failure: 'MaxRetriesExceededError',
    calls: ['t0[]', 't0[]', 't0[]', 't0[]'],
  },
  {
    row: '4.7 a hard time limit fails the task, and calls its errback once, where Celery calls it twice',
    spec: { chain: [task('too_long', 't0'), canvasOf('t1')], linkError: [task('told', 't2')] },
    failure: 'TimeLimitExceeded',
    calls: ['t0[]', 't2[]←t0'],
  },
  {
    row: '4.7 a task whose process was killed runs again, where Celery fails it',
    spec: { chain: [task('killed', 't0', { deaths: 2 }), canvasOf('t1')] },
    result: 't1',
    calls: ['t0[]', 't0[]', 't0[]', 't1["alive"]'],
    attempt: 2,
  },
  {
    row: '4.7 a task whose process is killed again and again fails with WorkerLostError, and calls its errback',
    spec: { chain: [task('killed', 't0', { deaths: 9 }), canvasOf('t1')], linkError: [task('told', 't2')] },
    failure: 'WorkerLostError',
    calls: ['t0[]', 't0[]', 't0[]', 't0[]', 't2[]←t0'],
    attempt: 3,
  },
  {
    row: '4.7 a task that no worker knows fails with NotRegistered; what follows is skipped and the errback called',
    spec: {
      chord: { header: [canvasOf('t0'), task('nobody', 't1')], body: canvasOf('t2') },
      linkError: [task('told', 't3')],
    },
    failure: 'NotRegistered',
    calls: ['t0[]', 't3[]←t1'],
  },
  {
    row: '4.7 a result that is not JSON fails the task with EncodeError',
    spec: { chain: [task('unencodable', 't0'), canvasOf('t1')], linkError: [task('told', 't2')] },
    failure: 'EncodeError',
    calls: ['t0[]', 't2[]←t0'],
  },
  {
    row: '4.7 what no worker ended has its failure under the run’s id, too',
    spec: { ...task('succeed', 't0'), queue: 'nobody', waitLimit: '200ms' },
    failure: 'WaitLimitExceeded',
    calls: [],
  },
  {
    row: '4.7 a header that fails within a longer chain skips the body and all that follows',
    spec: canvasOf('chain(t0, chord([t1, t2✗], t3), t4, t5)~t6'),
    failure: 'ValueError',
    calls: ['t0[]', 't1["t0"]', 't2["t0"]', 't6[]←t2'],
    states: { 'spec.chain[1].chord.body': 'Skipped', 'spec.chain[2]': 'Skipped', 'spec.chain[3]': 'Skipped' },
  },
  {
    row: '4.7 a header that fails before a body that is a group skips every member of it',
    spec: canvasOf('chord([t0, t1✗], group(t2, t3))'),
    failure: 'ValueError',
    calls: ['t0[]', 't1[]'],
    states: { 'spec.chord.body.group[0]': 'Skipped', 'spec.chord.body.group[1]': 'Skipped' },
  },
];

const others: readonly Row[] = [
  {
    row: '4.8 a task that Celery retries runs again under its own id, until it ends',
    spec: { chain: [task('retries', 't0', { failures: 3 }), canvasOf('t1')] },
    result: 't1',
    calls: ['t0[]', 't0[]', 't0[]', 't0[]', 't1[3]'],
  },
  {
    row: '4.8 autoretry_for retries after the exceptions it names',
    spec: task('autoretry', 't0', { failures: 2 }),
    result: 'at last',
    calls: ['t0[]', 't0[]', 't0[]'],
  },
  {
    row: '4.8 a task that replaces itself has the result of what took its place',
    spec: { chain: [task('replaced', 't0', { by: 'task' }), canvasOf('t1')] },
    result: 't1',
    calls: ['t0[]', 't0a[]', 't1["t0a"]'],
  },
  {
    row: '4.8 a task that replaces itself by a chain has the result of its last step',
    spec: { chain: [task('replaced', 't0', { by: 'chain' }), canvasOf('t1')] },
    result: 't1',
    calls: ['t0[]', 't0a[]', 't0b[]', 't1["t0b"]'],
  },
  {
    row: '4.8 a task that replaces itself by a group has the list of its results',
    spec: { chord: { header: [task('replaced', 't0', { by: 'group' }), canvasOf('t1')], body: canvasOf('t2') } },
    result: 't2',
    calls: ['t0[]', 't0a[]', 't0b[]', 't1[]', 't2[[["t0a","t0b"],"t1"]]'],
  },
  {
    row: '4.8 a task that replaces itself fails as what took its place, and its errback is told of that',
    spec: { chain: [task('replaced', 't0', { by: 'failure' }), canvasOf('t1')], linkError: [task('told', 't2')] },
    failure: 'ValueError',
    calls: ['t0[]', 't0a[]', 't2[]←t0'],
  },
  {
    row: '4.8 a callback of a task that replaces itself is given the result of what took its place, once',
    spec: { ...task('replaced', 't0', { by: 'task' }), link: [task('succeed', 't1')] },
    result: 't0a',
    calls: ['t0[]', 't0a[]', 't1["t0a"]'],
  },
  {
    row: '4.8 a task that is retried with other arguments keeps its keyword arguments',
    spec: { ...task('retries_with_args', 't0', { own: 1 }), args: ['first'] },
    result: ['other'],
    calls: ['t0["first"]{"own":1}', 't0["other"]{"own":1}'],
  },
  {
    row: '4.8 map calls the task for each item, in order of the items',
    spec: { map: { task: 'succeed', kwargs: { at: 't0' }, over: [1, [2], { x: 3 }] } },
    result: ['t0', 't0', 't0'],
    calls: ['t0[1]', 't0[[2]]', 't0[{"x":3}]'],
  },
  {
    row: '4.8 starmap takes the arguments out of each item',
    spec: {
      map: {
        task: 'added',
        over: [
          [1, 2],
          [3, 4],
        ],
        unpack: true,
      },
    },
    result: [3, 7],
    calls: [],
  },
  {
    row: '4.8 chunks run so many items in one task of Celery’s own',
    spec: { chain: [{ map: { task: 'doubled', range: 5, chunk: 2 } }, task('succeed', 't0')] },
    result: 't0',
    calls: ['t0[[0,2,4,6,8]]'],
  },
  {
    row: '4.8 chunks of a starmap',
    spec: {
      map: {
        task: 'added',
        over: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        unpack: true,
        chunk: 2,
      },
    },
    result: [3, 7, 11],
    calls: [],
  },
];

/**
 * What a release does otherwise than the others, and what it makes of that. Where one has no entry nothing is stored of
 * the task: `celery-absences.test.ts` has what becomes of that.
 */
interface ReleaseRow extends Pick<Row, 'row' | 'spec'> {
  readonly by: Readonly<Partial<Record<CeleryRelease, Pick<Row, 'result' | 'failure' | 'calls' | 'attempt'>>>>;
}

const threeTimes = ['t0[]', 't0[]', 't0[]'];
const listOfGroup = { result: 't1', calls: ['t0[]', 't0a[]', 't0b[]', 't0c[]', 't1[["t0b","t0c"]]'] };
const keptAllTheSame = { result: 't1', calls: ['t0[]', 't1["kept all the same"]'] };

const releaseRows: readonly ReleaseRow[] = [
  {
    row: '1.6 a result that the task is declared to ignore is kept, for its message says so',
    spec: { chain: [task('result_ignored', 't0'), canvasOf('t1')] },
    // Before 5.3 what the task declares overrules its message (celery/app/trace.py, `publish_result`).
    by: { '5.7.0': keptAllTheSame, '5.6.3': keptAllTheSame },
  },
  {
    row: '4.7 a task that rejects its message has failed, and its errback is called',
    spec: { chain: [task('rejects', 't0'), canvasOf('t1')], linkError: [task('told', 't2')] },
    // Before 5.7 nothing is stored of it (celery/worker/request.py, `Request.on_failure`).
    by: { '5.7.0': { failure: 'Reject', calls: ['t0[]', 't2[]←t0'] } },
  },
  {
    row: '4.7 a task whose process was killed is run again by Celery where it can, else by the run',
    spec: task('killed_and_retried', 't0', { deaths: 2 }),
    // `retry_on_worker_lost` is new in 5.7 (celery/app/task.py).
    by: {
      '5.7.0': { result: 'alive', calls: threeTimes },
      '5.6.3': { result: 'alive', calls: threeTimes, attempt: 2 },
      '5.2.7': { result: 'alive', calls: threeTimes, attempt: 2 },
    },
  },
  {
    row: '4.7 a task whose process was killed more often than Celery runs it again is lost',
    spec: {
      ...task('killed_and_retried', 't0', { deaths: 9 }),
      retry: { onLost: 'Fail' },
      linkError: [task('told', 't2')],
    },
    by: {
      '5.7.0': { failure: 'WorkerLostError', calls: ['t0[]', ...threeTimes, 't2[]←t0'] },
      '5.6.3': { failure: 'WorkerLostError', calls: ['t0[]', 't2[]←t0'] },
      '5.2.7': { failure: 'WorkerLostError', calls: ['t0[]', 't2[]←t0'] },
    },
  },
  {
    row: '4.8 autoretry_for does not retry after what dont_autoretry_for names',
    spec: task('autoretry', 't0', { failures: 2, exc: 'KeyError' }),
    by: {
      '5.7.0': { failure: 'KeyError', calls: ['t0[]'] },
      '5.6.3': { failure: 'KeyError', calls: ['t0[]'] },
      // It is new in 5.3 (celery/app/autoretry.py).
      '5.2.7': { result: 'at last', calls: threeTimes },
    },
  },
  {
    row: '4.8 a task that replaces itself by a chain that ends in a group has the list of its results',
    spec: { chain: [task('replaced', 't0', { by: 'chain of a group' }), canvasOf('t1')] },
    // Before 5.7 the members of the group have results, and the task has none (celery/app/task.py, `Task.replace`).
    by: { '5.7.0': listOfGroup },
  },
];

/** The rows of failures, retries, replacements and maps, as a worker of this release fulfils them. */
export function failureRows(release: CeleryRelease): readonly Row[] {
  const own = releaseRows.flatMap(({ row, spec, by }) => {
    const outcome = by[release];
    return outcome === undefined ? [] : [{ row, spec, ...outcome }];
  });
  return [...failures, ...others, ...own];
}
