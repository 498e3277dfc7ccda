import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { until } from '../cluster/kube-api.ts';
import { kubectlOf, type Kubectl } from '../support/kubectl.ts';

/** The CRDs as a real API server understands them, applied as they lie in the repository. */

const apiVersion = 'arpeggio.dev/v1alpha1';
let cluster: ApiCluster;
let kubectl: Kubectl;

beforeAll(async () => {
  cluster = await startApiCluster();
  kubectl = kubectlOf(cluster);
  await kubectl(['apply', '-f', join(REPOSITORY, 'crds')]);
  for (const plural of ['taskqueues', 'workerpools', 'workflows']) {
    const path = `/apis/${apiVersion}/${plural}?limit=1`;
    await until(`${plural} are served`, 60_000, async () => (await cluster.api.call('GET', path)).status === 200);
  }
});
afterAll(() => cluster.stop());

const object = (kind: string, name: string, spec: unknown): object => ({ apiVersion, kind, metadata: { name }, spec });
const workflow = (name: string, spec: unknown): object => object('Workflow', name, spec);

describe('the CRDs', () => {
  test('apply again without a change', async () => {
    const said = await kubectl(['apply', '-f', join(REPOSITORY, 'crds')]);
    expect(said.trim().split('\n')).toEqual(
      ['taskqueues', 'workerpools', 'workflows'].map(
        (plural) => `customresourcedefinition.apiextensions.k8s.io/${plural}.arpeggio.dev unchanged`,
      ),
    );
  });

  test('have structural schemas only', async () => {
    const types = await kubectl(['get', 'crd', '-o', 'jsonpath={.items[*].status.conditions[*].type}']);
    expect(new Set(types.split(' '))).toEqual(new Set(['NamesAccepted', 'Established']));
  });

  test('answer to their short names and their category', async () => {
    // The server lists new resources a little after it serves them.
    const names = async (): Promise<string[][]> =>
      (await kubectl(['api-resources', '--categories=arpeggio', '--no-headers']))
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/).slice(0, 2));
    await expect.poll(names).toEqual([
      ['taskqueues', 'tq'],
      ['workerpools', 'wp'],
      ['workflows', 'awf'],
    ]);
  });

  test.each([
    { what: 'workflow.spec.chain', says: ['Elements that run one after the other', 'FIELDS:', 'linkError', '.si()'] },
    { what: 'workflow.spec.chain.group.chord', says: ['A group with something to do afterwards', 'body', 'header'] },
    { what: 'workflow.spec.map.each', says: ['Instead of task: an element', 'FIELDS:', 'chord', 'when'] },
    { what: 'workflow.spec.chain.retry', says: ['Run the task again when it failed', 'escalateTo', 'onLost'] },
    { what: 'workflow.spec.finally', says: ['Tasks that run once at the very end', '-required-'] },
    { what: 'workflow.status.state', says: ['The reason of the condition Succeeded'] },
    { what: 'wp.spec.accelerator', says: ['Devices each pod gets', 'nvidia.com/gpu.product'] },
    { what: 'tq.spec.routes', says: ['as in Celery task_routes'] },
  ])('explain $what', async ({ what, says }) => {
    let text = '';
    // The server publishes the schemas of new resources a little after it serves them.
    await until(`kubectl explain ${what}`, 60_000, async () => {
      text = (await kubectl(['explain', what])).replaceAll(/\s+/g, ' ');
      return true;
    });
    for (const words of says) expect(text).toContain(words);
  });
});

describe('the examples', () => {
  const examples = join(REPOSITORY, 'examples');
  const files = readdirSync(examples, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));

  test('are there', () => expect(files.length).toBeGreaterThan(4));

  test.each(files)('%s is taken as it is', async (file) => {
    expect(await kubectl(['apply', '--dry-run=server', '-f', join(examples, file)])).toContain('created');
  });
});

describe('a TaskQueue and a WorkerPool', () => {
  const pool = { queues: ['cpu'] };
  test.each([
    { why: 'no queues', kind: 'WorkerPool', spec: { queues: [] }, says: 'should have at least 1 items' },
    { why: 'the same queue twice', kind: 'WorkerPool', spec: { queues: ['a', 'a'] }, says: 'Duplicate value' },
    {
      why: 'both replicas and autoscaling',
      kind: 'WorkerPool',
      spec: { ...pool, replicas: 1, autoscaling: { maxReplicas: 2 } },
      says: 'give either autoscaling or replicas',
    },
    {
      why: 'a minimum above the maximum',
      kind: 'WorkerPool',
      spec: { ...pool, autoscaling: { minReplicas: 3, maxReplicas: 2 } },
      says: 'minReplicas may not be above maxReplicas',
    },
    {
      why: 'a drain of a month',
      kind: 'WorkerPool',
      spec: { ...pool, drainTimeout: '720h' },
      says: 'drainTimeout may be 168h at most',
    },
    {
      why: 'a duration without unit',
      kind: 'WorkerPool',
      spec: { ...pool, drainTimeout: '30' },
      says: 'spec.drainTimeout: Invalid value: "30": is no duration; write 90s, 10m or 1h30m',
    },
    {
      why: 'a quantity that is none',
      kind: 'WorkerPool',
      spec: { ...pool, resources: { limits: { memory: 'lots' } } },
      says: 'spec.resources.limits.memory',
    },
    {
      why: "the operator's own variables",
      kind: 'WorkerPool',
      spec: { ...pool, env: [{ name: 'ARPEGGIO_QUEUES', value: 'x' }] },
      says: 'set by the operator',
    },
    {
      why: 'a variable with two values',
      kind: 'WorkerPool',
      spec: { ...pool, env: [{ name: 'A', value: 'x', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
      says: 'give either value or valueFrom',
    },
    {
      why: 'a variable twice',
      kind: 'WorkerPool',
      spec: { ...pool, env: [{ name: 'A' }, { name: 'A' }] },
      says: 'Duplicate value',
    },
    {
      why: 'parts of a pod that are not offered',
      kind: 'WorkerPool',
      spec: { ...pool, hostNetwork: true },
      says: 'unknown field "spec.hostNetwork"',
    },
    {
      why: 'a runtime that does not exist',
      kind: 'WorkerPool',
      spec: { ...pool, runtime: 'Ruby' },
      says: 'supported values: "TypeScript"',
    },
    { why: 'a wire name with blanks', kind: 'TaskQueue', spec: { queueName: 'a b' }, says: 'spec.queueName' },
    { why: 'a route twice', kind: 'TaskQueue', spec: { routes: ['a', 'a'] }, says: 'Duplicate value' },
  ])('are refused with $why', async ({ kind, spec, says }) => {
    expect(await kubectl.refused(['create', '-f', '-'], object(kind, 'bad', spec))).toContain(says);
  });

  test('a pool whose name would not fit into a label is refused', async () => {
    const said = await kubectl.refused(['create', '-f', '-'], object('WorkerPool', 'p'.repeat(64), pool));
    expect(said).toContain('63 characters at most');
  });

  test('get their defaults, a Workflow none', async () => {
    await kubectl(['create', '-f', '-'], object('TaskQueue', 'defaults', {}));
    const spec = { ...pool, accelerator: {}, autoscaling: { maxReplicas: 3 } };
    await kubectl(['create', '-f', '-'], object('WorkerPool', 'defaults', spec));
    await kubectl(['create', '-f', '-'], workflow('defaults', { task: 'a' }));
    const specs = await kubectl([
      'get',
      'tq,wp,awf',
      '-o',
      'jsonpath={range .items[?(@.metadata.name=="defaults")]}{.spec}{"\\n"}{end}',
    ]);
    expect(
      specs
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { connection: 'arpeggio' },
      {
        queues: ['cpu'],
        runtime: 'TypeScript',
        concurrency: 1,
        drainTimeout: '1h',
        accelerator: { resource: 'nvidia.com/gpu', count: 1 },
        autoscaling: { minReplicas: 0, maxReplicas: 3, tasksPerSlot: 1, scaleDownDelay: '60s' },
      },
      { task: 'a' },
    ]);
  });

  test('a fixed pool is scaled by kubectl scale, an autoscaled one says what to do instead', async () => {
    await kubectl(['create', '-f', '-'], object('WorkerPool', 'fixed', { ...pool, replicas: 1 }));
    await kubectl(['create', '-f', '-'], object('WorkerPool', 'auto', { ...pool, autoscaling: { maxReplicas: 3 } }));
    await kubectl(['scale', 'wp', 'fixed', '--replicas=4']);
    expect(await kubectl(['get', 'wp', 'fixed', '-o', 'jsonpath={.spec.replicas}'])).toBe('4');
    const said = await kubectl.refused(['scale', 'wp', 'auto', '--replicas=4']);
    expect(said).toContain('with autoscaling, change minReplicas and maxReplicas instead');
  });
});

describe('status', () => {
  const at = '2026-01-01T00:00:00Z';
  const condition = (type: string, reason: string): object => ({
    type,
    status: 'True',
    reason,
    message: 'm',
    lastTransitionTime: at,
  });
  const patch = (what: string, status: object, ...args: string[]): Promise<string> =>
    kubectl(['patch', ...what.split('/'), '--type=merge', '-p', JSON.stringify({ status }), ...args]);

  beforeAll(async () => {
    await kubectl(['create', 'namespace', 'columns']);
    const create = (input: object): Promise<string> => kubectl(['create', '-n', 'columns', '-f', '-'], input);
    await create(object('TaskQueue', 'gpu', {}));
    await create(
      object('WorkerPool', 'gpu', { queues: ['gpu', 'cpu'], image: 'a/b:1', autoscaling: { maxReplicas: 4 } }),
    );
    await create(workflow('train', { task: 'a' }));
  });

  test('is written through its subresource only, and raises no generation', async () => {
    await patch('awf/train', { state: 'Running' }, '-n', 'columns');
    expect(await kubectl(['get', 'awf', 'train', '-n', 'columns', '-o', 'jsonpath={.status}'])).toBe('');
    await patch('awf/train', { state: 'Running' }, '-n', 'columns', '--subresource=status');
    const seen = await kubectl([
      'get',
      'awf',
      'train',
      '-n',
      'columns',
      '-o',
      'jsonpath={.status.state} {.metadata.generation}',
    ]);
    expect(seen).toBe('Running 1');
  });

  test('shows in the columns that a person looks for', async () => {
    const write = (what: string, status: object): Promise<string> =>
      patch(what, status, '-n', 'columns', '--subresource=status');
    await write('tq/gpu', { waiting: 3, inFlight: 0, queueName: 'gpu', conditions: [condition('Ready', 'Ready')] });
    await write('wp/gpu', {
      readyReplicas: 1,
      slots: { busy: 1, free: 0 },
      lastDecision: { replicas: 2, reason: 'Demand', at, inputs: { waiting: 3 } },
      conditions: [condition('Ready', 'Progressing')],
    });
    await write('awf/train', {
      state: 'Succeeded',
      progress: '1/1',
      failed: 0,
      step: 'a',
      duration: '1.2s',
      conditions: [condition('Succeeded', 'Succeeded')],
    });
    const columns = async (plural: string): Promise<string[][]> =>
      (await kubectl(['get', plural, '-n', 'columns', '-o', 'wide']))
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/));
    const age = expect.stringMatching(/^(\d+m)?(\d+s)?$/) as string;
    expect(await columns('awf')).toEqual([
      ['NAME', 'STATE', 'PROGRESS', 'FAILED', 'STEP', 'DURATION', 'AGE', 'MESSAGE'],
      ['train', 'Succeeded', '1/1', '0', 'a', '1.2s', age, 'm'],
    ]);
    expect(await columns('tq')).toEqual([
      ['NAME', 'STATE', 'WAITING', 'HELD', 'IN-FLIGHT', 'AGE', 'QUEUE', 'CONNECTION', 'MESSAGE'],
      ['gpu', 'Ready', '3', '0', age, 'gpu', 'arpeggio', 'm'], // HELD is not known, and blank
    ]);
    expect(await columns('wp')).toEqual([
      ['NAME', 'STATE', 'DESIRED', 'READY', 'BUSY', 'FREE', 'WHY', 'AGE', 'QUEUES', 'MIN', 'MAX', 'IMAGE', 'MESSAGE'],
      ['gpu', 'Progressing', '2', '1', '1', '0', 'Demand', age, '["gpu","cpu"]', '0', '4', 'a/b:1', 'm'],
    ]);
  });

  test('can be waited for and selected by', async () => {
    await kubectl(['wait', '-n', 'columns', '--for=condition=Succeeded', '--timeout=60s', 'awf/train']);
    expect(await kubectl(['get', 'awf', '-A', '--field-selector=status.state=Succeeded', '-o', 'name'])).toBe(
      'workflow.arpeggio.dev/train\n',
    );
  });

  test('holds any JSON as a result; null within objects survives a JSON patch', async () => {
    const result = { list: [1, null, { a: null }], text: 'x', none: null };
    const operations = JSON.stringify([{ op: 'add', path: '/status/result', value: result }]);
    await kubectl(['patch', 'awf', 'train', '-n', 'columns', '--subresource=status', '--type=json', '-p', operations]);
    const text = await kubectl(['get', 'awf', 'train', '-n', 'columns', '-o', 'jsonpath={.status.result}']);
    expect(JSON.parse(text)).toEqual(result);
  });
});
