import type { ChildProcess } from 'node:child_process';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import type { RunningOperator } from '#operator/operator.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { until } from '../cluster/kube-api.ts';
import { startBoundProcess } from '../support/bound-process.ts';
import { outsideEnvironment, startTestOperator } from '../support/operator.ts';
import { openWorkflowLab, type WorkflowLab } from '../support/workflow-lab.ts';

let lab: WorkflowLab;
let operator: RunningOperator | undefined;
let redis: Redis;

beforeAll(async () => {
  lab = await openWorkflowLab('loss');
  redis = new Redis(lab.redis.url, { retryStrategy: () => 100 });
  redis.on('error', () => undefined);
});
beforeEach(async () => {
  operator ??= await startTestOperator(lab.chart);
});
afterAll(async () => {
  redis.disconnect();
  await operator?.stop();
  await lab.stop();
});

async function stopOperator(): Promise<void> {
  await operator?.stop();
  operator = undefined;
}

/** Without their value nothing that comes after could be called. */
const gate = (name: string, more: object = {}) => ({ task: 'gate', args: [name], ...more });
const callsOf = (...names: string[]): readonly number[] => names.map((name) => lab.calls(name).length);
const headOf = async (name: string): Promise<string> => `arp:r:${await lab.uidOf(name)}:h`;

async function expectTold(name: string, lost: WorkflowStatus['lost']): Promise<void> {
  const status = await lab.untilState(name, 'Succeeded');
  expect(status.lost).toEqual(lost);
  const told = async (): Promise<readonly string[]> =>
    (await lab.eventsOf(name)).filter((each) => each.endsWith('DataLost'));
  await expect.poll(told).toEqual(['Warning DataLost']);
}

describe('FLUSHALL under a living operator', () => {
  test('between two steps of a chain: what was done stays done, and what was on its way is sent again', async () => {
    await lab.space.create('Workflow', 'chain', { chain: [gate('c1'), gate('c2'), gate('c3')] });
    lab.open('c1');
    await lab.untilCalled('c2');
    await redis.flushall();
    const status = await lab.untilStatus('chain', (each) => each.lost !== undefined);
    expect(status.conditions?.[0]).toMatchObject({ status: 'Unknown', reason: 'Running' });
    expect(status.conditions?.[0]?.message).toContain('Redis lost data of it: 1 task was sent again');
    await lab.untilCalled('c2', 2);
    lab.open('c2');
    lab.open('c3');
    await expectTold('chain', { times: 1, sentAgain: 1, runAgain: 0 });
    expect(callsOf('c1', 'c2', 'c3')).toEqual([1, 2, 1]);
    expect(new Set(lab.calls('c2')).size).toBe(2);
  });

  test('in the middle of a chord: the results that are there are not asked for again', async () => {
    const header = ['h1', 'h2', 'h3'];
    await lab.space.create('Workflow', 'chord', {
      chord: { header: header.map((name) => gate(name)), body: { task: 'echo' } },
    });
    lab.open('h1');
    await lab.untilStatus('chord', ({ done }) => done === 1);
    await redis.flushall();
    await lab.untilStatus('chord', ({ lost }) => lost !== undefined);
    for (const name of header) lab.open(name);
    await expectTold('chord', { times: 1, sentAgain: 2, runAgain: 0 });
    expect(await lab.space.workflowStatus('chord')).toMatchObject({ result: [header] });
    expect(callsOf('h1')).toEqual([1]);
  });

  test('while nothing runs: a countdown is kept, and comes', async () => {
    const after = (countdown: string) => ({
      chain: [
        { task: 'add', args: [1] },
        { task: 'add', countdown },
      ],
    });
    await lab.space.create('Workflow', 'timer', after('1h'));
    await lab.space.create('Workflow', 'short-timer', after('4s'));
    await lab.untilStatus('short-timer', ({ done }) => done === 1);
    const { nextDueAt } = await lab.untilStatus('timer', (status) => status.nextDueAt !== undefined);
    await redis.flushall();
    const status = await lab.untilStatus('timer', ({ lost }) => lost !== undefined);
    expect(status).toMatchObject({ lost: { times: 1, sentAgain: 0, runAgain: 0 }, nextDueAt });
    await lab.untilState('short-timer', 'Succeeded');
    await lab.patch('timer', { cancel: true });
    await lab.untilState('timer', 'Cancelled');
  });

  test('of a server that restarts without its data', async () => {
    await lab.space.create('Workflow', 'restarted', { chain: [gate('r1'), gate('r2')] });
    lab.open('r1');
    await lab.untilCalled('r2');
    // The operator's connections break, so that it has to open all anew, and finds nothing.
    await redis.flushall();
    await lab.redis.kill();
    await lab.redis.restart();
    await lab.untilStatus('restarted', ({ lost }) => lost !== undefined, 90_000);
    lab.open('r2');
    await expectTold('restarted', { times: 1, sentAgain: 1, runAgain: 0 });
    expect(callsOf('r1')).toEqual([1]);
  });
});

describe('FLUSHALL while no operator runs', () => {
  test('status remembers what had ended: only what is needed and gone runs again', async () => {
    const immutable = { immutable: true };
    await lab.space.create('Workflow', 'remembered', {
      chain: [gate('m1'), gate('m2', immutable), gate('m3'), gate('m4'), gate('m5', immutable)],
    });
    lab.open('m1');
    lab.open('m2');
    lab.open('m3');
    await lab.untilCalled('m4');
    await lab.untilStatus('remembered', ({ done }) => done === 3);
    await stopOperator();
    await redis.flushall();
    operator = await startTestOperator(lab.chart);
    // Only then may the call go on that was on its way: its result would be believed, and the third not needed.
    await lab.untilStatus('remembered', ({ lost }) => lost !== undefined);
    for (const name of ['m4', 'm5']) lab.open(name);
    await expectTold('remembered', { times: 1, sentAgain: 1, runAgain: 2 });
    // The third is needed by the fourth, and the second by the third; the first by nobody.
    expect(callsOf('m1', 'm2', 'm3', 'm5')).toEqual([1, 2, 2, 1]);
  });

  test('an older copy of the run is taken for what it has', async () => {
    await lab.space.create('Workflow', 'older', { chain: [gate('o1'), gate('o2'), gate('o3')] });
    const key = await headOf('older').then((head) => head.slice(0, -1));
    lab.open('o1');
    await lab.untilCalled('o2');
    const copies = await Promise.all(['h', 's', 'o'].map(async (part) => redis.dumpBuffer(key + part)));
    lab.open('o2');
    await lab.untilCalled('o3');
    await lab.untilStatus('older', ({ done }) => done === 2);
    await stopOperator();
    await redis.flushall();
    for (const [index, part] of ['h', 's', 'o'].entries()) await redis.restore(key + part, 0, copies[index] as Buffer);
    operator = await startTestOperator(lab.chart);
    await lab.untilStatus('older', ({ lost }) => lost !== undefined);
    lab.open('o3');
    // The second had ended by status, and its result is in no copy; that of the first is.
    await expectTold('older', { times: 1, sentAgain: 0, runAgain: 1 });
    expect(callsOf('o1', 'o2')).toEqual([1, 2]);
  });
});

test('the slots of a run that were evicted alone are noticed while nothing ends, and written back', async () => {
  await lab.space.create('Workflow', 'evicted', { chain: [gate('e1'), gate('e2')] });
  const slots = (await headOf('evicted')).replace(/h$/, 's');
  lab.open('e1');
  await lab.untilCalled('e2');
  expect(await redis.del(slots)).toBe(1);
  await lab.untilCalled('e2', 2);
  lab.open('e2');
  await expectTold('evicted', { times: 1, sentAgain: 1, runAgain: 0 });
  expect(callsOf('e1', 'e2')).toEqual([1, 2]);
});

test('a value that someone removed is made again, within the round', async () => {
  await lab.space.create('Workflow', 'value', { chain: [gate('v1'), gate('v2'), gate('v3')] });
  const kept = (await headOf('value')).replace(/h$/, 'o');
  lab.open('v1');
  await lab.untilCalled('v2');
  await lab.patch('value', { suspend: true });
  lab.open('v2');
  await lab.untilStatus('value', ({ done }) => done === 2);
  await stopOperator();
  expect(await redis.del(kept)).toBe(1);
  await lab.patch('value', { suspend: false });
  operator = await startTestOperator(lab.chart);
  lab.open('v3');
  await expectTold('value', { times: 1, sentAgain: 0, runAgain: 2 });
  expect(await lab.space.workflowStatus('value')).toMatchObject({ round: 0, result: 'v3' });
  expect(callsOf('v1', 'v2', 'v3')).toEqual([2, 2, 1]);
});

describe('results that someone removes under a living operator', () => {
  const three = (name: string): readonly string[] => [1, 2, 3].map((each) => `${name}-${each}`);

  test.each([
    {
      name: 'all-of-a-chain',
      spec: (names: readonly string[]) => ({ chain: names.map((each) => gate(each)) }),
      field: undefined,
      isList: false,
    },
    {
      name: 'one-of-a-header',
      spec: (names: readonly string[]) => ({
        chord: { header: names.map((each) => gate(each)), body: { task: 'echo' } },
      }),
      field: '1:0',
      isList: true,
    },
    {
      name: 'one-of-a-map',
      spec: (names: readonly string[]) => ({ chain: [{ map: { over: names, task: 'gate' } }, { task: 'echo' }] }),
      field: '2:0',
      isList: true,
    },
  ])('are put back, and nothing runs again: $name', async ({ name, spec, field, isList }) => {
    const names = three(name);
    await lab.space.create('Workflow', name, spec(names));
    const [first = ''] = names;
    lab.open(first);
    await lab.untilStatus(name, ({ done }) => done === 1);
    const head = await headOf(name);
    const kept = head.replace(/h$/, 'o');
    expect(await (field === undefined ? redis.del(kept) : redis.hdel(kept, field))).toBe(1);
    // As if another operator had written meanwhile: what stands is read before the next decision.
    await redis.hincrby(head, 'rev', 1);
    for (const each of names) lab.open(each);
    await expectTold(name, { times: 1, sentAgain: 0, runAgain: 0 });
    expect(await lab.space.workflowStatus(name)).toMatchObject({ round: 0, result: isList ? [names] : names.at(-1) });
    expect(callsOf(...names)).toEqual([1, 1, 1]);
  });

  test('and that it knows no more are made again where a further round needs them', async () => {
    await lab.space.create('Workflow', 'again', { chain: [gate('again-1'), { task: 'fickle', args: ['again-2'] }] });
    lab.open('again-1');
    await lab.untilState('again', 'Failed');
    expect(await redis.del((await headOf('again')).replace(/h$/, 'o'))).toBe(1);
    lab.open('again-2');
    await lab.patch('again', { retryFailed: 1 });
    await expectTold('again', { times: 1, sentAgain: 0, runAgain: 1 });
    expect(callsOf('again-1', 'again-2')).toEqual([2, 2]);
  });
});

describe('two operators', () => {
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  function startProcess(podName: string): { readonly child: ChildProcess; readonly said: (text: string) => boolean } {
    const { child } = startBoundProcess([process.execPath, 'operator/main.ts'], {
      cwd: REPOSITORY,
      env: {
        ...outsideEnvironment(lab.chart),
        KUBECONFIG: lab.chart.kubeconfigPath,
        ARPEGGIO_POD_NAME: podName,
        ARPEGGIO_LOG_LEVEL: 'info',
      },
    });
    children.push(child);
    const said: string[] = [];
    child.stdout?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    return { child, said: (text) => said.join('').includes(text) };
  }

  test('a leader that slept through its lease wakes up and does no harm', async () => {
    await stopOperator();
    const first = startProcess('sleeper');
    await until('the first leads', 60_000, () => Promise.resolve(first.said('"leading"')));
    await lab.space.create('Workflow', 'slept', {
      chain: [{ group: [gate('s1'), gate('s2')] }, gate('s3', { immutable: true }), gate('s4', { immutable: true })],
    });
    await lab.untilCalled('s2');
    first.child.kill('SIGSTOP');
    const second = startProcess('successor');
    await until('the second leads', 60_000, () => Promise.resolve(second.said('"leading"')));
    lab.open('s1');
    lab.open('s2');
    await lab.untilCalled('s3');
    first.child.kill('SIGCONT');
    await until('the first knows that it leads no longer', 60_000, () =>
      Promise.resolve(first.said('no longer leading') || first.child.exitCode !== null),
    );
    lab.open('s3');
    lab.open('s4');
    expect(await lab.untilState('slept', 'Succeeded')).toMatchObject({ result: 's4', round: 0 });
    expect(callsOf('s1', 's2', 's3', 's4')).toEqual([1, 1, 1, 1]);
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  test('both at work on one run: every task ends once, and the ids tell a repeat', async () => {
    operator = await startTestOperator(lab.chart);
    const names = Array.from({ length: 12 }, (_, index) => `b${index}`);
    await lab.space.create('Workflow', 'both', { chain: names.map((name) => gate(name, { immutable: true })) });
    await lab.untilCalled('b0');
    // By a lease of its own the second leads as well, and takes the shards for itself.
    const environment = { ARPEGGIO_LEASE_NAME: 'another-lease', ARPEGGIO_POD_NAME: 'another' };
    const other = await startTestOperator(lab.chart, { kubeconfigPath: lab.cluster.kubeconfigPath, environment });
    for (const name of names) lab.open(name);
    const status = await lab.untilState('both', 'Succeeded', 90_000);
    expect(status).toMatchObject({ result: 'b11', progress: '12/12' });
    for (const name of names) expect(new Set(lab.calls(name)).size).toBe(1);
    await other.stop();
  });
});
