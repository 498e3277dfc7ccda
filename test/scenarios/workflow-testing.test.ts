import { describe, expect, test, vi } from 'vitest';
import { current, Ignore, Reject, Retry } from '../../worker-image/tasks/task-api.ts';
import { runWorkflow, sleep, startWorkflow, type TestOptions } from '#cli/testing/testing-api.ts';

/** Of days nothing is waited for; how quick the machine is says nothing. */
const noTime = (started: number): void => expect(performance.now() - started).toBeLessThan(60_000);
const atMs = (calls: readonly { readonly at: Date }[]): readonly number[] =>
  calls.map(({ at }) => at.getTime() - Date.UTC(2026, 0, 1));

describe('runWorkflow', () => {
  test('runs a workflow to its end and tells its calls, results and states', async () => {
    const spec = {
      chain: [
        { task: 'load', kwargs: { rows: 2 } },
        {
          group: [
            { task: 'add', args: [1] },
            { task: 'add', args: [2] },
          ],
        },
      ],
    };
    const run = await runWorkflow(spec, {
      tasks: { load: ({ rows }: { rows: number }) => rows, add: (a: number, b: number) => a + b },
    });
    expect(run).toMatchObject({ state: 'Succeeded', result: [3, 4], message: '3 of 3 tasks succeeded', failures: [] });
    expect(run.calls[0]).toMatchObject({
      task: 'load',
      path: 'spec.chain[0]',
      kwargs: { rows: 2 },
      attempt: 0,
      queue: 'default',
      outcome: 'Succeeded',
      result: 2,
    });
    expect(run.callsOf('add').map(({ path, args }) => ({ path, args }))).toEqual([
      { path: 'spec.chain[1].group[0]', args: [2, 1] },
      { path: 'spec.chain[1].group[1]', args: [2, 2] },
    ]);
    expect(run.stateOf('spec.chain[1]')).toBe('Succeeded');
    expect(() => run.stateOf('spec.nowhere')).toThrow(
      'no element stands at spec.nowhere; there are spec, spec.chain[0]',
    );
  });

  test('lets days pass in no time', async () => {
    const started = performance.now();
    const run = await runWorkflow(
      {
        chain: [
          { task: 'a', countdown: '240h' },
          { task: 'a', immutable: true },
        ],
      },
      {
        tasks: { a: () => sleep('100h') },
        startAt: '2030-05-01T00:00:00Z',
      },
    );
    expect(run.clock.elapsedMs).toBe((240 + 100 + 100) * 3_600_000);
    expect(run.clock.now).toEqual(new Date('2030-05-19T08:00:00Z'));
    noTime(started);
  });

  test('retries with the backoff that the workflow asks for, on the queue it asks for', async () => {
    const train = vi
      .fn()
      .mockRejectedValueOnce(new RangeError('no'))
      .mockRejectedValueOnce(new RangeError('no'))
      .mockResolvedValue('model');
    const retry = { maxRetries: 3, backoff: '10s', jitter: false, escalateTo: 'large' };
    const run = await runWorkflow({ task: 'train', retry }, { tasks: { train } });
    expect(run).toMatchObject({ state: 'Succeeded', result: 'model' });
    expect(run.calls.map(({ attempt, queue, outcome, error }) => ({ attempt, queue, outcome, error }))).toEqual([
      { attempt: 0, queue: 'default', outcome: 'Failed', error: 'RangeError: no' },
      { attempt: 1, queue: 'large', outcome: 'Failed', error: 'RangeError: no' },
      { attempt: 2, queue: 'large', outcome: 'Succeeded', error: undefined },
    ]);
    expect(atMs(run.calls)).toEqual([0, 10_000, 30_000]);
  });

  test('tells failures, and what became of handlers', async () => {
    const run = await runWorkflow(
      {
        chain: [{ task: 'divide', args: [1, 0] }, { task: 'divide' }],
        linkError: [{ task: 'told' }],
        finally: [{ task: 'tidy' }],
      },
      {
        tasks: {
          divide: () => {
            throw new RangeError('by zero');
          },
          told: () => null,
          tidy: () => null,
        },
      },
    );
    expect(run).toMatchObject({ state: 'Failed', result: undefined });
    expect(run.failures).toEqual([{ path: 'spec.chain[0]', task: 'divide', type: 'RangeError', message: 'by zero' }]);
    expect(run.handlers).toEqual([
      { kind: 'LinkError', path: 'spec.linkError[0]', task: 'told', state: 'Succeeded' },
      { kind: 'Finally', path: 'spec.finally[0]', task: 'tidy', state: 'Succeeded' },
    ]);
    expect(run.callsOf('told')[0]?.args[0]).toMatchObject({ task: 'divide', args: [1, 0] });
    expect(run.stateOf('spec.chain[1]')).toBe('Skipped');
  });

  test('names the item of each call within a map', async () => {
    const run = await runWorkflow(
      { map: { each: { chain: [{ task: 'inc' }, { task: 'inc' }] }, over: [10, 20] } },
      {
        tasks: { inc: (x: number) => x + 1 },
      },
    );
    expect(run.result).toEqual([12, 22]);
    expect(run.calls.map(({ item, args }) => [item, args[0]])).toEqual(
      expect.arrayContaining([
        [0, 10],
        [1, 20],
        [0, 11],
        [1, 21],
      ]),
    );
  });

  test('holds time limits, deadlines and waits by its own clock', async () => {
    const forever = { tasks: { forever: () => sleep('9000h') } };
    const limited = await runWorkflow({ task: 'forever', timeLimit: '1h' }, forever);
    expect(limited).toMatchObject({
      state: 'Failed',
      failures: [{ type: 'TimeLimitExceeded', message: 'it ran longer than its time limit of 3600 s, and was ended' }],
      clock: { elapsedMs: 3_600_000 },
    });
    const late = await runWorkflow({ task: 'forever', deadline: '2h' }, forever);
    expect(late.state).toBe('DeadlineExceeded');
    const full = await runWorkflow(
      {
        group: [
          { task: 'forever', timeLimit: '5h' },
          { task: 'forever', waitLimit: '1h' },
        ],
      },
      { ...forever, concurrency: 1 },
    );
    expect(full.failures.map(({ type }) => type).toSorted()).toEqual(['TimeLimitExceeded', 'WaitLimitExceeded']);
  });

  test('lets tasks use their context, ask for a retry, and stop at their soft limit', async () => {
    let asked = 0;
    const run = await runWorkflow(
      { chain: [{ task: 'again' }, { task: 'patient', softTimeLimit: '10m', timeLimit: '20m', immutable: true }] },
      {
        tasks: {
          again: () => {
            asked += 1;
            if (asked < 3) current().retry({ countdown: 60 });
            return current().request.retries;
          },
          patient: async () => {
            await sleep('1h').catch((error: unknown) => error);
            return (current().signal.reason as Error).name;
          },
        },
      },
    );
    expect(Retry).toBeTypeOf('function');
    expect(run).toMatchObject({ state: 'Succeeded', result: 'SoftTimeLimitExceeded', clock: { elapsedMs: 720_000 } });
    expect(run.callsOf('again').map(({ outcome }) => outcome)).toEqual(['Retried', 'Retried', 'Succeeded']);
  });

  test('ends a task that raises Ignore or Reject, and gives back what it puts back', async () => {
    const run = await runWorkflow(
      {
        group: [{ task: 'ignores' }, { task: 'rejects' }, { task: 'requeues' }],
        finally: [{ task: 'told' }],
      },
      {
        tasks: {
          ignores: () => {
            throw new Ignore();
          },
          rejects: () => {
            throw new Reject('not mine');
          },
          requeues: () => {
            if (!current().request.redelivered) throw new Reject('not yet', { requeue: true });
            return 'at last';
          },
          told: () => null,
        },
      },
    );
    expect(run.state).toBe('Failed');
    expect(run.failures).toMatchObject([
      { task: 'ignores', type: 'NoResult', message: 'the task raised Ignore, and so it stored no result' },
      { task: 'rejects', type: 'Reject' },
    ]);
    expect(run.calls.map(({ task, attempt, outcome }) => [task, attempt, outcome]).sort()).toEqual([
      ['ignores', 0, 'Ignored'],
      ['rejects', 0, 'Failed'],
      ['requeues', 0, 'Requeued'],
      ['requeues', 0, 'Succeeded'],
      ['told', 0, 'Succeeded'],
    ]);
    expect(run.clock.elapsedMs).toBeLessThan(1_000);
  });

  test('waits for real work, which takes no virtual time', async () => {
    const run = await runWorkflow(
      { task: 'real' },
      { tasks: { real: () => new Promise((resolve) => setTimeout(resolve, 30, 'done')) } },
    );
    expect(run).toMatchObject({ result: 'done', clock: { elapsedMs: 0 } });
  });

  test('gives the same ids and times whenever it is run', async () => {
    const spec = { group: Array.from({ length: 5 }, () => ({ task: 't', retry: { maxRetries: 3, backoff: '1s' } })) };
    const once = async () => {
      const ids: string[] = [];
      const t = (): string => {
        ids.push(current().request.id);
        if (ids.length < 8) throw new Error('no');
        return 'yes';
      };
      const run = await runWorkflow(spec, { tasks: { t } });
      return { ids, at: atMs(run.calls) };
    };
    expect(await once()).toEqual(await once());
  });

  test.each([
    [
      'an invalid workflow',
      { tsk: 'a' },
      /^spec: does not say what to run.*\nspec.tsk: unknown field; did you mean task\?$/,
    ],
    [
      'a path in place of a URL',
      './train.yaml',
      "is read as YAML text and is a path; give a URL: new URL('./train.yaml', import.meta.url)",
    ],
    [
      'an object without a kind',
      { spec: { task: 'a' } },
      'does not say what it is; a Workflow begins with apiVersion: arpeggio.dev/v1alpha1 and kind: Workflow',
    ],
    ['a task that is not given', { task: 'b' }, 'spec.task: the option tasks has not this task; there are a'],
  ])('rejects %s', async (_why, spec, message) => {
    await expect(runWorkflow(spec, { tasks: { a: () => 1 } })).rejects.toThrow(message);
  });

  test.each([[{}], [undefined], [{ tasks: null }]])(
    'rejects the options %j, for they hold no tasks',
    async (options) => {
      const run = runWorkflow({ task: 'a' }, options as unknown as TestOptions);
      await expect(run).rejects.toThrow('give the tasks by their names: runWorkflow(workflow, { tasks: {');
    },
  );

  test('rejects when the workflow never ends', async () => {
    await expect(runWorkflow({ task: 'a', suspend: true }, { tasks: { a: () => 1 } })).rejects.toThrow(
      'the workflow does not end: it is Suspended',
    );
  });

  test('reads YAML and files, of several Workflows the one that is named', async () => {
    const file = new URL('../../examples/risky-division/workflow.yaml', import.meta.url);
    const tasks = { divide: (a: number, b: number) => a / b, on_success: () => null, on_fail: () => null };
    expect((await runWorkflow(file, { tasks, name: 'safe-division' })).result).toBe(2.5);
    const yaml =
      'apiVersion: arpeggio.dev/v1alpha1\nkind: Workflow\nmetadata: {name: x}\nspec: {task: divide, args: [8, 2]}\n';
    expect((await runWorkflow(yaml, { tasks })).result).toBe(4);
    await expect(runWorkflow(file, { tasks })).rejects.toThrow(
      'choose one with the option name: safe-division or the option name: risky-division',
    );
  });
});

describe('startWorkflow', () => {
  const chain = { chain: [{ task: 'a', countdown: '1h' }, { task: 'b' }], finally: [{ task: 'tidy' }] };
  const tasks = { a: () => sleep('10m'), b: () => 'done', tidy: () => null };

  test('lets time stand until it is moved', async () => {
    const run = await startWorkflow(chain, { tasks });
    expect(run).toMatchObject({ state: 'Running', calls: [], result: undefined });
    await run.clock.advance('59m');
    expect(run.calls).toEqual([]);
    await run.clock.advance('1m');
    expect(run.calls).toMatchObject([{ task: 'a', outcome: 'Running' }]);
    await run.clock.advance(600_000);
    expect(run).toMatchObject({ state: 'Succeeded', result: 'done', clock: { elapsedMs: 70 * 60_000 } });
  });

  test('can cancel, and handlers still run', async () => {
    const run = await startWorkflow(chain, { tasks });
    await run.clock.advance('65m');
    await run.cancel();
    await run.finish();
    expect(run.state).toBe('Cancelled');
    expect(run.callsOf('a')).toMatchObject([{ outcome: 'Failed' }]);
    expect(run.handlers).toMatchObject([{ task: 'tidy', state: 'Succeeded' }]);
  });

  test('can suspend and resume', async () => {
    const run = await startWorkflow(chain, { tasks });
    await run.suspend();
    await run.clock.advance('2h');
    expect(run).toMatchObject({ state: 'Suspended', calls: [] });
    await run.resume();
    await run.finish();
    expect(run).toMatchObject({ state: 'Succeeded', clock: { elapsedMs: 130 * 60_000 } });
  });

  test('can run again what failed', async () => {
    const b = vi
      .fn()
      .mockImplementationOnce(() => {
        throw new Error('once');
      })
      .mockReturnValue('done');
    const run = await runWorkflow(chain, { tasks: { ...tasks, b } });
    expect(run.state).toBe('Failed');
    await run.retryFailed();
    await run.finish();
    expect(run).toMatchObject({ state: 'Succeeded', result: 'done' });
    expect(run.calls.map(({ task }) => task)).toEqual(['a', 'b', 'tidy', 'b', 'tidy']);
  });

  test('refuses a duration that is none, and sleep outside a task', async () => {
    const run = await startWorkflow(chain, { tasks });
    expect(() => run.clock.advance('soon')).toThrow('soon is no duration; give 90s');
    await expect(sleep('1s')).rejects.toThrow('can only be called in a task of a tested workflow');
    await expect(startWorkflow(chain, { tasks, startAt: 'never' })).rejects.toThrow('startAt is never');
  });
});
