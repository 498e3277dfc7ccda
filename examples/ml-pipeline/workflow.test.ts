import { expect, test } from 'vitest';
import { runWorkflow, sleep, startWorkflow } from 'arpeggio/testing';
import * as tasks from './tasks.ts';

const pipeline = new URL('workflow.yaml', import.meta.url);

test('the pipeline makes a good model of its four parts', async () => {
  const run = await runWorkflow(pipeline, { tasks });
  expect(run.state).toBe('Succeeded');
  expect(run.result).toMatchObject({ rows: 47 });
  expect(run.callsOf('preprocess').map(({ args }) => args[1])).toEqual([0, 1, 2, 3]);
});

test('a part that cannot be read fails the pipeline, and nothing is trained', async () => {
  const preprocess = (_loaded: string[], part: number) => {
    if (part === 2) throw new RangeError('part 2 is damaged');
    return { rows: [], dropped: 0 };
  };
  const run = await runWorkflow(pipeline, { tasks: { ...tasks, preprocess } });
  expect(run.state).toBe('Failed');
  expect(run.failures).toEqual([
    { path: 'spec.chain[1].group[2]', task: 'preprocess', type: 'RangeError', message: 'part 2 is damaged' },
  ]);
  expect(run.callsOf('train_model')).toEqual([]);
});

test('a training that takes two hours is waited for, and the test is not', async () => {
  const train_model = async () => {
    await sleep('2h');
    return 'a model';
  };
  const run = await startWorkflow(pipeline, { tasks: { ...tasks, train_model, evaluate: (model: string) => model } });
  await run.clock.advance('1h59m');
  expect(run.stateOf('spec.chain[3]')).toBe('Active');
  await run.clock.advance('1m');
  expect(run).toMatchObject({ state: 'Succeeded', result: 'a model' });
});
