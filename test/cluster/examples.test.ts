import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import { installArpeggio, OPERATOR_NAMESPACE } from '../../scripts/demo/install.ts';
import { kubectlFor, type Kubectl } from '../../scripts/demo/kubectl.ts';
import { isOver, type Observation } from '../../scripts/demo/observation.ts';
import { judge, promisesOfExamples } from '../../scripts/demo/promise.ts';
import { applyPools, applyWorkflows, watchWorkflows } from '../../scripts/demo/run-examples.ts';
import { loadImages, openCluster } from './cluster.ts';
import { REPOSITORY } from './folders.ts';
import { buildImage } from './image-archive.ts';
import { OPERATOR_IMAGE, WORKER_IMAGE } from './images.ts';
import { until } from './kube-api.ts';
import { killPodProcesses } from './pod-process.ts';
import { endFullLevel } from './teardown.ts';

/** Its own cluster beside any other of this machine: operators and workers are killed here. */
const folder = mkdtempSync('/tmp/arpeggio-examples-');
const EXAMPLES = 'examples';
const FAULTS = 'faults';
const EFFECTS_IMAGE = 'arpeggio.dev/effects:1';

let kubectl: Kubectl;

async function statusOf(name: string): Promise<WorkflowStatus> {
  const { status } = await kubectl.read<{ status?: WorkflowStatus }>(['get', 'workflow', name, '-n', FAULTS]);
  return status ?? {};
}

function redis(...command: string[]): Promise<string> {
  return kubectl.run(['exec', '-n', OPERATOR_NAMESPACE, 'arpeggio-redis-0', '--', 'redis-cli', ...command]);
}

/** The marks that a run's tasks left, in the order in which they were left. */
async function marksOf(run: string): Promise<string[]> {
  return (await redis('LRANGE', `effects:${run}`, '0', '-1')).split('\n').filter((line) => line !== '');
}

type StoredResult = { readonly status: string; readonly result: unknown };

/** What the result store holds under a task id: what Celery's AsyncResult would find. */
async function resultOf(namespace: string, taskId: string | undefined): Promise<StoredResult> {
  return JSON.parse(await redis('GET', `${namespace}:celery-task-meta-${taskId ?? ''}`)) as StoredResult;
}

async function applyCanvas(name: string, spec: object): Promise<void> {
  const workflow = { apiVersion: 'arpeggio.dev/v1alpha1', kind: 'Workflow', metadata: { name }, spec };
  await kubectl.run(['create', '-n', FAULTS, '-f', '-'], JSON.stringify(workflow));
}

async function applyFaultPools(): Promise<void> {
  const autoscaling = { minReplicas: 0, maxReplicas: 2, scaleDownDelay: '300s' };
  const items = [
    { kind: 'TaskQueue', metadata: { name: 'default' }, spec: {} },
    {
      kind: 'WorkerPool',
      metadata: { name: 'workers' },
      spec: { queues: ['default'], image: EFFECTS_IMAGE, concurrency: 2, autoscaling },
    },
  ].map((object) => ({ apiVersion: 'arpeggio.dev/v1alpha1', ...object }));
  await kubectl.run(['apply', '-n', FAULTS, '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

beforeAll(async () => {
  const cluster = await openCluster(folder);
  kubectl = kubectlFor(cluster);
  const images = await loadImages(cluster);
  const context = join(REPOSITORY, 'test/cluster/effects');
  const dockerfile = join(context, 'Dockerfile');
  const archive = await buildImage({ dockerfile, context, name: EFFECTS_IMAGE, bases: [WORKER_IMAGE] });
  await cluster.loadImage({ name: EFFECTS_IMAGE, archive });
  const operator = images.find(({ name }) => name === OPERATOR_IMAGE);
  if (operator === undefined) throw new Error(`${OPERATOR_IMAGE} was not built`);
  await installArpeggio(cluster, kubectl, { namespaces: [EXAMPLES, FAULTS], operator });
  await applyFaultPools();
});

afterAll(async () => {
  if (process.env['ARPEGGIO_CLUSTER'] !== 'existing') await endFullLevel(folder);
});

describe('the examples, in real pods', () => {
  let seen: Observation;
  beforeAll(async () => {
    await applyPools(kubectl, EXAMPLES);
    await applyWorkflows(kubectl, EXAMPLES);
    seen = await watchWorkflows(kubectl, EXAMPLES, { withinMs: 480_000, tell: () => undefined });
  });

  test('every example does what it promises, from pools that had no pod', () => {
    const verdicts = judge(promisesOfExamples(['gpu']), seen);
    const broken = verdicts.filter(({ kept }) => !kept);
    expect(
      broken.map(({ workflow, says }) => `${workflow}: ${says} (${JSON.stringify(seen.workflows.get(workflow))})`),
    ).toEqual([]);
    expect(verdicts.length).toBeGreaterThan(5);
  });

  test('every step that succeeded did so at its first attempt, and its result is where Celery looks for it', async () => {
    const steps = [...seen.workflows].flatMap(([name, { steps: of = [] }]) => of.map((each) => ({ name, ...each })));
    // A map is one row; the ids of its members are not shown.
    const tasks = steps.filter(({ taskId, state }) => taskId !== undefined && state === 'Succeeded');
    expect(tasks.length).toBeGreaterThan(20);
    expect(tasks.filter(({ attempt = 0 }) => attempt > 0)).toEqual([]);
    for (const { taskId } of tasks) expect((await resultOf(EXAMPLES, taskId)).status).toBe('SUCCESS');
  });

  test('the errback was told who failed and why', async () => {
    const { failures = [], handlers = [] } = seen.workflows.get('risky-division') ?? {};
    const failed = failures[0]?.taskId;
    const told = await resultOf(EXAMPLES, handlers.find(({ task }) => task === 'on_fail')?.taskId);
    expect(failures[0]).toMatchObject({ task: 'divide', type: 'ZeroDivisionError', message: 'division by zero' });
    expect(told.result).toBe(`divide ${failed ?? 'unknown'} failed with ZeroDivisionError: division by zero`);
  });

  test('the clean-up was told that all went well, and found what the tasks had left', async () => {
    const { handlers = [] } = seen.workflows.get('image-thumbnail') ?? {};
    const told = await resultOf(EXAMPLES, handlers.find(({ task }) => task === 'clean_up')?.taskId);
    expect(told.result).toEqual({ removed: 2, after: 'Succeeded' });
  });
});

describe('when a part dies in the middle', () => {
  test('the operator: the next one goes on, and every task has run exactly once', async () => {
    const run = 'operator-dies';
    const mark = (step: string): object => ({ task: 'mark', kwargs: { run, step } });
    const group = ['e', 'f', 'g', 'h', 'i', 'j'];
    await applyCanvas(run, {
      chain: [
        mark('a'),
        mark('b'),
        { task: 'mark_when_open', kwargs: { run, step: 'c' } },
        mark('d'),
        { group: group.map(mark) },
        { task: 'join_marks', kwargs: { run, step: 'k' } },
        mark('l'),
      ],
      finally: [{ task: 'mark', kwargs: { run, step: 'z' } }],
    });
    await until('the task that waits runs', 300_000, async () => (await marksOf(`${run}:began`)).length === 1);
    const path = 'jsonpath={.spec.holderIdentity}';
    const holder = await kubectl.run(['get', 'lease', 'arpeggio-operator', '-n', OPERATOR_NAMESPACE, '-o', path]);
    const leader = holder.split('_')[0] ?? '';
    expect(await marksOf(run)).toEqual(['a', 'b']);
    expect(killPodProcesses(leader)).toBeGreaterThan(0);
    await kubectl.run(['delete', 'pod', leader, '-n', OPERATOR_NAMESPACE, '--grace-period=0', '--force']);
    await redis('RPUSH', `effects:${run}:open`, 'now');
    await until('the workflow is over', 300_000, async () => isOver(await statusOf(run)));

    expect(await statusOf(run)).toMatchObject({ state: 'Succeeded', failed: 0, result: 'l' });
    const marks = await marksOf(run);
    expect(marks.toSorted()).toEqual(['a', 'b', 'c', 'd', ...group, 'k', 'l', 'z']);
    expect(marks.slice(0, 4)).toEqual(['a', 'b', 'c', 'd']);
    expect(marks.slice(-3)).toEqual(['k', 'l', 'z']);
    const joined = (await statusOf(run)).steps?.find(({ task }) => task === 'join_marks')?.taskId;
    expect((await resultOf(FAULTS, joined)).result).toBe(group.join(' '));
  });

  test('a worker: the task it held runs again, all others exactly once', async () => {
    const run = 'worker-dies';
    const mark = (step: string): object => ({ task: 'mark', kwargs: { run, step } });
    await applyCanvas(run, {
      chain: [
        mark('a'),
        { group: [mark('b'), { task: 'mark_after_death', kwargs: { run, step: 'c' } }, mark('d')] },
        { task: 'join_marks', kwargs: { run, step: 'e' } },
      ],
    });
    await until('the task that waits for its death', 300_000, async () => (await marksOf(`${run}:began`)).length === 1);
    const pods = await kubectl.read<{ items: { metadata: { name: string } }[] }>([
      ...['get', 'pods', '-n', FAULTS, '-l', 'arpeggio.dev/pool=workers'],
    ]);
    // One of them holds the task; another may have been asked for and not have begun yet.
    const names = pods.items.map(({ metadata }) => metadata.name);
    // All at once: what the first one held is soon in the hands of the next.
    const killed = names.reduce((sum, name) => sum + killPodProcesses(name), 0);
    const gone = ['--grace-period=0', '--force', '--ignore-not-found'];
    for (const name of names) await kubectl.run(['delete', 'pod', name, '-n', FAULTS, ...gone]);
    expect(killed).toBeGreaterThan(0);
    await until('the workflow is over', 300_000, async () => isOver(await statusOf(run)));

    expect(await statusOf(run)).toMatchObject({ state: 'Succeeded', failed: 0, result: 'b c d' });
    expect(await marksOf(`${run}:began`)).toEqual(['c', 'c']);
    expect((await marksOf(run)).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});
