import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningOperator } from '#operator/operator.ts';
import { until } from '../cluster/kube-api.ts';
import { startTestOperator } from '../support/operator.ts';
import { openWorkflowLab, type WorkflowLab } from '../support/workflow-lab.ts';

let lab: WorkflowLab;
let operator: RunningOperator;

beforeAll(async () => {
  lab = await openWorkflowLab('expiry');
  operator = await startTestOperator(lab.chart);
});
afterAll(async () => {
  await operator.stop();
  await lab.stop();
});

const gone = (name: string): Promise<void> =>
  until(`${name} is deleted`, 60_000, async () => !(await lab.isThere(name)));

describe('ttlAfterFinished', () => {
  test('deletes a Workflow once it has ended and the time has passed, not before', async () => {
    await lab.space.create('Workflow', 'short', { task: 'gate', args: ['short'], ttlAfterFinished: '3s' });
    await lab.untilCalled('short');
    lab.open('short');
    const { finishedAt = '' } = await lab.untilState('short', 'Succeeded');
    await gone('short');
    expect(Date.now() - Date.parse(finishedAt)).toBeGreaterThanOrEqual(3_000);
  });

  test('may be given, taken back and given again after the end', async () => {
    await lab.space.run('edited', { task: 'add', args: [1], ttlAfterFinished: '1h' });
    await lab.patch('edited', { ttlAfterFinished: null });
    await lab.space.create('Workflow', 'other', { task: 'add', args: [1], ttlAfterFinished: '0s' });
    await gone('other');
    expect(await lab.isThere('edited')).toBe(true);
    await lab.patch('edited', { ttlAfterFinished: '1s' });
    await gone('edited');
  });

  test('is kept by an operator that starts after the end', async () => {
    await lab.space.run('left', { task: 'add', args: [1] });
    await operator.stop();
    await lab.patch('left', { ttlAfterFinished: '1s' });
    operator = await startTestOperator(lab.chart);
    await gone('left');
  });

  test('deletes one that could never run as well', async () => {
    await lab.space.create('Workflow', 'invalid', {
      chain: [{ chain: [{ chain: [{ chain: [{ tsak: 'add' }] }] }] }],
      ttlAfterFinished: '1s',
    });
    await gone('invalid');
  });
});
