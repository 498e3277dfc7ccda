import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningOperator } from '#operator/operator.ts';
import { until } from '../cluster/kube-api.ts';
import { startTestOperator } from '../support/operator.ts';
import { openWorkflowLab, type WorkflowLab } from '../support/workflow-lab.ts';

let lab: WorkflowLab;
let operator: RunningOperator;
let redis: Redis;

beforeAll(async () => {
  lab = await openWorkflowLab('control');
  operator = await startTestOperator(lab.chart);
  redis = new Redis(lab.redis.url, { retryStrategy: () => 100 });
  redis.on('error', () => undefined);
});
afterAll(async () => {
  redis.disconnect();
  await operator.stop();
  await lab.stop();
});

const gate = (name: string, more: object = {}) => ({ task: 'gate', args: [name], immutable: true, ...more });
const waiting = (queue: string, count: number): Promise<void> =>
  until(`${count} messages wait in ${queue}`, 60_000, async () => (await redis.llen(queue)) === count);

describe('suspend', () => {
  test('sends nothing more, lets what was sent go on, and goes on when it is taken back', async () => {
    await lab.space.create('Workflow', 'held', { chain: [gate('held-1'), gate('held-2')] });
    await lab.untilCalled('held-1');
    await lab.patch('held', { suspend: true });
    await lab.untilState('held', 'Suspended');
    lab.open('held-1');
    const between = await lab.untilStatus('held', ({ done }) => done === 1);
    expect(between).toMatchObject({ state: 'Suspended', running: 0, held: 1 });
    expect(lab.calls('held-2')).toEqual([]);
    await lab.patch('held', { suspend: false });
    await lab.untilCalled('held-2');
    lab.open('held-2');
    expect(await lab.untilState('held', 'Succeeded')).toMatchObject({ result: 'held-2', round: 0 });
    await lab.untilEvents('held', ['Normal Resumed', 'Normal SuspendRequested']);
  });

  test('holds everything of a Workflow that is born with it, over a change of operators', async () => {
    await lab.space.create('Workflow', 'born', { task: 'add', args: [1, 2], queue: 'nobody', suspend: true });
    await lab.untilState('born', 'Suspended');
    await operator.stop();
    operator = await startTestOperator(lab.chart);
    expect(await redis.llen('nobody')).toBe(0);
    await lab.patch('born', { suspend: null });
    await waiting('nobody', 1);
    await lab.patch('born', { cancel: true });
    await lab.untilState('born', 'Cancelled');
    expect(await redis.llen('nobody')).toBe(0);
  });
});

describe('cancel', () => {
  test('withdraws what waits, stops what runs, calls errbacks and finally, and keeps what succeeded', async () => {
    await lab.space.create('Workflow', 'stopped', {
      chain: [
        { task: 'add', args: [1] },
        {
          group: [
            gate('stopped-1', { linkError: [{ task: 'fickle', args: ['stopped-errback'] }] }),
            ...[1, 2, 3].map((x) => ({ task: 'add', args: [x], queue: 'nobody' })),
          ],
        },
        { task: 'add' },
      ],
      finally: [{ task: 'echo' }],
    });
    await lab.untilCalled('stopped-1');
    await waiting('nobody', 3);
    lab.open('stopped-errback');
    await lab.patch('stopped', { cancel: true });
    const status = await lab.untilState('stopped', 'Cancelled');
    expect(await redis.llen('nobody')).toBe(0);
    expect(status.steps?.map(({ state }) => state)).toEqual([
      'Succeeded',
      ...Array.from({ length: 4 }, () => 'Cancelled'),
      'Skipped',
    ]);
    expect(status.handlers?.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      'LinkError Succeeded',
      'Finally Succeeded',
    ]);
    expect(status).not.toHaveProperty('notStopped');
    await lab.untilEvents('stopped', ['Normal CancelRequested', 'Warning Cancelled']);
  });

  test('says what would not stop', async () => {
    // Without a pool of ours it is Celery's; here the test takes the message, and hears nothing.
    await lab.space.create('TaskQueue', 'foreign', {});
    const unmoved = { task: 'add', args: [1], queue: 'foreign' };
    await lab.space.create('Workflow', 'unmoved', { chain: [unmoved, { task: 'add' }] });
    await waiting('foreign', 1);
    const { headers } = JSON.parse((await redis.rpop('foreign')) ?? '{}') as { headers: { id: string } };
    await lab.patch('unmoved', { cancel: true });
    const status = await lab.untilState('unmoved', 'Cancelled', 90_000);
    expect(status.notStopped).toEqual([{ step: 1, path: 'spec.chain[0]', task: 'add', taskId: headers.id }]);
  });
});

describe('deadline', () => {
  test('ends a run that takes longer, and may be put off while it lives', async () => {
    await lab.space.create('Workflow', 'late', { task: 'add', args: [1], queue: 'nobody', deadline: '1h' });
    await waiting('nobody', 1);
    await lab.patch('late', { deadline: '2s' });
    const status = await lab.untilState('late', 'DeadlineExceeded');
    expect(status.conditions?.[0]).toMatchObject({ status: 'False', reason: 'DeadlineExceeded' });
    expect(await redis.llen('nobody')).toBe(0);
    await lab.untilEvents('late', ['Warning DeadlineExceeded']);
  });
});

describe('retryFailed', () => {
  test('runs again what failed and what came after it, in a round of its own', async () => {
    await lab.space.create('Workflow', 'again', {
      chain: [gate('again-1'), { task: 'fickle', args: ['again-2'], immutable: true }, gate('again-3')],
      finally: [{ task: 'fickle', args: ['again-4'], immutable: true }],
    });
    lab.open('again-1');
    lab.open('again-3');
    lab.open('again-4');
    const failed = await lab.untilState('again', 'Failed');
    expect(failed).toMatchObject({ round: 0, failures: [{ path: 'spec.chain[1]', type: 'RangeError' }] });
    lab.open('again-2');
    await lab.patch('again', { retryFailed: 1 });
    const status = await lab.untilState('again', 'Succeeded');
    expect(status).toMatchObject({ round: 1, retried: 1, result: 'again-3', startedAt: failed.startedAt, failed: 0 });
    expect(Date.parse(status.finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(failed.finishedAt ?? ''));
    expect(['again-1', 'again-2', 'again-3', 'again-4'].map((name) => lab.calls(name).length)).toEqual([1, 2, 1, 2]);
    expect(new Set(lab.calls('again-2')).size).toBe(2);
    await lab.untilEvents('again', ['Normal RetryRequested', 'Warning Failed']);
  });

  test('shows a run that goes on as one: no end until the new one', async () => {
    await lab.space.create('Workflow', 'reopened', {
      chain: [{ task: 'fickle', args: ['reopened'] }, gate('reopened-2')],
    });
    await lab.untilState('reopened', 'Failed');
    lab.open('reopened');
    await lab.patch('reopened', { retryFailed: 7 });
    await lab.untilCalled('reopened-2');
    const status = await lab.untilState('reopened', 'Running');
    for (const gone of ['finishedAt', 'duration', 'result']) expect(status).not.toHaveProperty(gone);
    lab.open('reopened-2');
    expect(await lab.untilState('reopened', 'Succeeded')).toMatchObject({ round: 1, retried: 7 });
  });

  test('goes with taking a cancel back, and under another operator', async () => {
    const spec = { chain: [gate('taken-1'), { task: 'add', args: [5], immutable: true }] };
    await lab.space.create('Workflow', 'taken', spec);
    await lab.untilCalled('taken-1');
    await lab.patch('taken', { cancel: true });
    await lab.untilState('taken', 'Cancelled');
    await operator.stop();
    lab.open('taken-1');
    await expect(lab.patch('taken', { cancel: false })).rejects.toThrow('retryFailed');
    await lab.patch('taken', { cancel: false, retryFailed: 1 });
    operator = await startTestOperator(lab.chart);
    expect(await lab.untilState('taken', 'Succeeded')).toMatchObject({ result: 5, round: 1 });
  });

  test('goes by status when Redis has forgotten a run that ended long ago', async () => {
    const fickle = { task: 'fickle', args: ['old-2'], immutable: true };
    await lab.space.create('Workflow', 'old', { chain: [gate('old-1'), fickle, gate('old-3')] });
    lab.open('old-1');
    lab.open('old-3');
    await lab.untilState('old', 'Failed');
    await redis.del(...(await redis.keys(`arp:r:${await lab.uidOf('old')}:*`)));
    lab.open('old-2');
    await lab.patch('old', { retryFailed: 1 });
    expect(await lab.untilState('old', 'Succeeded')).toMatchObject({ result: 'old-3', retried: 1 });
    expect(['old-1', 'old-2', 'old-3'].map((name) => lab.calls(name).length)).toEqual([1, 2, 1]);
  });

  test('begins no round, and says so, of a run that stays cancelled, which is deleted in its time all the same', async () => {
    await lab.space.create('Workflow', 'still', { task: 'add', args: [1], queue: 'nobody' });
    await waiting('nobody', 1);
    // Asked for while it ran, before anybody thought of a cancel.
    await lab.patch('still', { retryFailed: 1 });
    await lab.patch('still', { cancel: true });
    await lab.untilState('still', 'Cancelled');
    await expect(lab.patch('still', { retryFailed: 2 })).rejects.toThrow('set cancel to false and raise retryFailed');
    await lab.patch('still', { suspend: true });
    await until('it is told', 60_000, async () => (await lab.eventsOf('still')).includes('Warning RetryRefused'));
    expect(await lab.space.workflowStatus('still')).toMatchObject({ state: 'Cancelled', round: 0 });
    await lab.patch('still', { ttlAfterFinished: '0s' });
    await until('it is deleted', 60_000, async () => !(await lab.isThere('still')));
  });

  test('says what to set where no time is left for a further round', async () => {
    await lab.space.create('Workflow', 'brief', { task: 'add', args: [1], queue: 'nobody', deadline: '1h' });
    await waiting('nobody', 1);
    await lab.patch('brief', { deadline: '1s' });
    const { conditions: [first] = [] } = await lab.untilState('brief', 'DeadlineExceeded');
    expect(first?.message).toBe(
      '0 of 1 tasks had succeeded when its deadline of 1s passed, while spec: task add was waiting for a worker',
    );
    await lab.patch('brief', { retryFailed: 1 });
    const { conditions: [next] = [] } = await lab.untilStatus(
      'brief',
      ({ round, finishedAt }) => round === 1 && finishedAt !== undefined,
    );
    expect(next?.message).toBe(
      '0 of 1 tasks had succeeded when round 1 began, and its deadline of 1s, which counts from startedAt, had passed: raise or remove spec.deadline and raise spec.retryFailed in one change',
    );
  });

  test('has nothing to do in a run that succeeded', async () => {
    const { finishedAt } = await lab.space.run('fine', { task: 'add', args: [1] });
    await lab.patch('fine', { retryFailed: 1 });
    await lab.space.run('after', { task: 'add', args: [1] });
    expect(await lab.space.workflowStatus('fine')).toMatchObject({ state: 'Succeeded', round: 0, finishedAt });
    // A change after the end was seen, too.
    const seen = await lab.untilStatus('fine', ({ observedGeneration }) => observedGeneration === 2);
    expect(seen.conditions).toMatchObject([{ type: 'Succeeded', status: 'True', observedGeneration: 2 }]);
  });
});

describe('what a run asks of its tasks', () => {
  test('maxParallel keeps the rest back, and status counts it', async () => {
    const names = ['p1', 'p2', 'p3', 'p4', 'p5'];
    await lab.space.create('Workflow', 'narrow', { group: names.map((name) => gate(name)), maxParallel: 2 });
    await lab.untilCalled('p2');
    expect(await lab.untilStatus('narrow', ({ running }) => running === 2)).toMatchObject({ running: 2, held: 3 });
    for (const [index, name] of names.entries()) {
      const called = names.filter((each) => lab.calls(each).length > 0).length;
      expect(called).toBeLessThanOrEqual(index + 2);
      lab.open(name);
      await lab.untilStatus('narrow', () => lab.calls(names[Math.min(index + 2, 4)] ?? '').length === 1);
    }
    expect(await lab.untilState('narrow', 'Succeeded')).toMatchObject({ result: names, progress: '5/5' });
  });

  test('priority is kept in the queue', async () => {
    const spec = { group: [1, 9].map((priority) => ({ task: 'add', args: [priority], queue: 'nobody', priority })) };
    await lab.space.create('Workflow', 'urgent', spec);
    // Kombu's lists on Redis: the most urgent is 0 and has the queue's own name.
    await until('both wait', 60_000, async () => (await redis.llen('nobody')) === 1);
    const [list] = await redis.keys('nobody?*');
    expect(await redis.llen(list ?? '')).toBe(1);
    const urgent = await redis.lindex('nobody', 0);
    expect(JSON.parse(urgent ?? '{}')).toMatchObject({ properties: { priority: 0 } });
    await lab.patch('urgent', { cancel: true });
    await lab.untilState('urgent', 'Cancelled');
  });

  test('update_state reaches status: the state and the numbers, nothing else', async () => {
    await lab.space.create('Workflow', 'telling', { task: 'reporting', args: ['telling'] });
    await lab.untilCalled('telling');
    const status = await lab.untilStatus('telling', ({ steps }) => steps?.[0]?.report !== undefined);
    expect(status.steps?.[0]).toMatchObject({ state: 'Running', report: 'PROGRESS', progress: '30/100' });
    expect(JSON.stringify(status)).not.toContain('never shown');
    lab.open('telling');
    expect((await lab.untilState('telling', 'Succeeded')).steps?.[0]).not.toHaveProperty('report');
  });

  test('showResult: false keeps the result out of status', async () => {
    const status = await lab.space.run('discreet', { task: 'add', args: [4], showResult: false });
    expect(status).not.toHaveProperty('result');
    expect(await redis.get(`celery-task-meta-${status.resultTaskId ?? ''}`)).toContain('"result": 4');
  });

  test('a countdown is told while nothing else is waited for', async () => {
    await lab.space.create('Workflow', 'later', { task: 'add', args: [1], countdown: '1h' });
    const { nextDueAt = '', startedAt = '' } = await lab.untilStatus(
      'later',
      (status) => status.nextDueAt !== undefined,
    );
    // It counts from when the task became due, which may be in a later second than the start.
    const afterMs = Date.parse(nextDueAt) - Date.parse(startedAt);
    expect(afterMs).toBeGreaterThanOrEqual(3_600_000);
    expect(afterMs).toBeLessThan(3_660_000);
    await lab.patch('later', { cancel: true });
    expect(await lab.untilState('later', 'Cancelled')).not.toHaveProperty('nextDueAt');
  });
});

describe('deletion', () => {
  test('withdraws what waits although nobody led while it happened', async () => {
    await lab.space.create('Workflow', 'forgotten', {
      chain: [{ group: [1, 2, 3].map((x) => ({ task: 'add', args: [x], queue: 'nobody' })) }, { task: 'add' }],
    });
    await waiting('nobody', 3);
    await operator.stop();
    await lab.delete('forgotten');
    operator = await startTestOperator(lab.chart);
    await waiting('nobody', 0);
  });

  test('withdraws what waits although its Redis was away when it happened', async () => {
    await lab.space.create('Workflow', 'away', { task: 'add', args: [1], queue: 'nobody' });
    await waiting('nobody', 1);
    await lab.redis.kill();
    await lab.delete('away');
    await lab.redis.restart();
    await waiting('nobody', 0);
  });
});
