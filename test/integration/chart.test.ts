import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { runCommand, tryCommand } from '../cluster/command.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { until } from '../cluster/kube-api.ts';
import { kubectlOf, type Kubectl } from '../support/kubectl.ts';

/** The chart as Helm renders it, and as a real API server takes it. */

const chart = join(REPOSITORY, 'charts', 'arpeggio');
const namespace = 'arpeggio-system';
let cluster: ApiCluster;
let kubectl: Kubectl;

const settings = (values: readonly string[]): string[] => values.flatMap((value) => ['--set', value]);
const helm = (...args: string[]): Promise<string> =>
  runCommand(cluster.helm, args, { env: { KUBECONFIG: cluster.kubeconfigPath } });

type Manifest = {
  kind: string;
  metadata: { name: string; namespace?: string; labels?: object; annotations?: Record<string, string> };
  spec: Record<string, unknown>;
  roleRef?: { name: string };
};

async function rendered(...values: string[]): Promise<Manifest[]> {
  const text = await helm('template', 'arpeggio', chart, '--namespace', namespace, ...settings(values));
  return (loadAll(text) as (Manifest | null)[]).filter((manifest) => manifest !== null);
}
const named = (manifests: readonly Manifest[], kind: string): string[] =>
  manifests.filter((manifest) => manifest.kind === kind).map(({ metadata }) => metadata.name);

const redisValues = [
  'redis.enabled=true',
  'redis.persistence.enabled=false',
  'redis.connectionNamespaces={default,other}',
];
const install = (...more: string[]): Promise<string> =>
  helm('upgrade', '--install', 'arpeggio', chart, '--namespace', namespace, ...settings(redisValues), ...more);

beforeAll(async () => {
  cluster = await startApiCluster();
  kubectl = kubectlOf(cluster);
  await kubectl(['create', 'namespace', namespace]);
  await kubectl(['create', 'namespace', 'other']);
  // Every pod the chart makes must pass the strictest of Kubernetes' own standards.
  await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
  const dryRun = await install('--dry-run=server');
  expect(dryRun).toContain('kubectl explain workflow.spec');
  await install('--wait', '--timeout=240s');
});
afterAll(() => cluster.stop());

describe('rendering', () => {
  test('passes helm lint, with nothing set and with everything on', async () => {
    await helm('lint', '--strict', chart);
    await helm('lint', '--strict', chart, ...settings([...redisValues, 'networkPolicy.enabled=true']));
  });

  test.each([
    { set: 'redis.enabld=true', says: "'enabld' not allowed" },
    { set: 'logLevel=loud', says: "at '/logLevel'" },
    { set: 'replicas=two', says: "at '/replicas'" },
    { set: 'image.digest=latest', says: "at '/image/digest'" },
    { set: 'redis.connectionNamespaces={Default}', says: "at '/redis/connectionNamespaces/0'" },
    { set: 'redis.connectionNamespaces={a,a}', says: "at '/redis/connectionNamespaces'" },
    { set: 'sharedConnections={a}', says: "at '/sharedConnections/0'" },
    { set: 'payloads.maxResultBytes=1Mi', says: "at '/payloads/maxResultBytes'" },
    { set: 'payloads.maxResultBytes=67108865', says: "at '/payloads/maxResultBytes'" },
    { set: 'payloads.maxListBytes=1023', says: "at '/payloads/maxListBytes'" },
    { set: 'payloads.maxListBytes=1048575', says: 'make it 1048576 (payloads.maxResultBytes) or more' },
    { set: 'redis.persistence.size=big', says: "at '/redis/persistence/size'" },
  ])('refuses $set', async ({ set, says }) => {
    const { code, stderr } = await tryCommand(cluster.helm, ['template', 'arpeggio', chart, '--set', set]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(says);
  });

  test('carries the CRDs of the repository, kept when the chart goes', async () => {
    const manifests = (await rendered()).filter(({ kind }) => kind === 'CustomResourceDefinition');
    expect(manifests).toHaveLength(3);
    for (const { metadata, spec } of manifests) {
      const file = join(REPOSITORY, 'crds', `${metadata.name.split('.')[0] ?? ''}.yaml`);
      expect(spec).toEqual((load(readFileSync(file, 'utf8')) as Manifest).spec);
      expect(metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    }
    expect(named(await rendered('crds.install=false'), 'CustomResourceDefinition')).toEqual([]);
  });

  test('leaves out what is switched off', async () => {
    const least = await rendered('admissionPolicy.enabled=false', 'rbac.aggregate=false', 'replicas=1');
    expect(named(least, 'ValidatingAdmissionPolicy')).toEqual([]);
    expect(named(least, 'ClusterRole')).toEqual(['arpeggio-operator']);
    expect(named(least, 'PodDisruptionBudget')).toEqual([]);
    expect(named(least, 'StatefulSet')).toEqual([]);
    expect(named(await rendered('networkPolicy.enabled=true'), 'NetworkPolicy')).toEqual(['arpeggio-operator']);
  });

  test('watching some namespaces, gives rights there only', async () => {
    const manifests = await rendered('watchNamespaces={a,b}');
    expect(named(manifests, 'ClusterRoleBinding')).toEqual([]);
    const bindings = manifests.filter(
      ({ kind, roleRef }) => kind === 'RoleBinding' && roleRef?.name === 'arpeggio-operator',
    );
    expect(bindings.map(({ metadata }) => metadata.namespace)).toEqual(['a', 'b']);
  });

  test('tells the operator what values may weigh in plain digits, whether set or not', async () => {
    const told = async (...values: string[]): Promise<string> =>
      JSON.stringify((await rendered(...values)).find(({ kind }) => kind === 'Deployment')?.spec);
    const entry = (name: string, value: string): string => JSON.stringify({ name, value });
    const usual = await told();
    expect(usual).toContain(entry('ARPEGGIO_MAX_RESULT_BYTES', '1048576'));
    expect(usual).toContain(entry('ARPEGGIO_MAX_LIST_BYTES', '16777216'));
    const set = await told('payloads.maxResultBytes=67108864', 'payloads.maxListBytes=268435456');
    expect(set).toContain(entry('ARPEGGIO_MAX_RESULT_BYTES', '67108864'));
    expect(set).toContain(entry('ARPEGGIO_MAX_LIST_BYTES', '268435456'));
  });

  test('names the image by its digest when there is one', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const deployment = (await rendered(`image.digest=${digest}`, 'image.registry=reg.example')).find(
      ({ kind }) => kind === 'Deployment',
    );
    expect(JSON.stringify(deployment?.spec)).toContain(`"reg.example/arpeggio-dev/operator@${digest}"`);
  });
});

describe('installed', () => {
  const secret = async (name: string, where: string): Promise<Record<string, string>> => {
    const { data } = JSON.parse(await kubectl(['get', 'secret', name, '-n', where, '-o', 'json'])) as {
      data: Record<string, string>;
    };
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    );
  };

  test('its pods run where only restricted ones may', async () => {
    const what = ['deployment/arpeggio-operator', 'statefulset/arpeggio-redis', '-n', namespace];
    const ready = (): Promise<string> => kubectl(['get', ...what, '-o', 'jsonpath={.items[*].status.readyReplicas}']);
    await expect.poll(ready).toBe('2 1');
  });

  test('each named namespace has a connection with a prefix of its own', async () => {
    const { password = '' } = await secret('arpeggio-redis', namespace);
    expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
    const url = `redis://:${password}@arpeggio-redis.${namespace}.svc:6379/0`;
    expect(await secret('arpeggio', 'other')).toEqual({
      broker: url,
      results: url,
      keyPrefix: 'other:',
      resultKeyPrefix: 'other:',
    });
    const type = await kubectl(['get', 'secret', 'arpeggio', '-o', 'jsonpath={.type}']);
    expect(type).toBe('arpeggio.dev/connection');
  });

  test('an upgrade keeps the password', async () => {
    const before = await secret('arpeggio-redis', namespace);
    await install('--set', 'logLevel=debug');
    expect(await secret('arpeggio-redis', namespace)).toEqual(before);
  });

  const operator = `system:serviceaccount:${namespace}:arpeggio-operator`;
  /** Asks the API server's own authorizer: `get secrets`, `patch workflows.arpeggio.dev/status`. */
  const mayI = async (words: string, user: string, where = 'default'): Promise<boolean> => {
    const [verb = '', what = ''] = words.split(' ');
    const [kind = '', subresource = ''] = what.split('/');
    const [resource = '', ...group] = kind.split('.');
    const resourceAttributes = { verb, resource, subresource, group: group.join('.'), namespace: where };
    const review = { spec: { user, groups: ['system:authenticated'], resourceAttributes } };
    const answer = await cluster.api.expect('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
    return (answer as { status: { allowed: boolean } }).status.allowed;
  };

  test.each([
    'get workflows.arpeggio.dev',
    'list taskqueues.arpeggio.dev',
    'watch workerpools.arpeggio.dev',
    'patch workflows.arpeggio.dev/status',
    'delete workflows.arpeggio.dev',
    'create deployments.apps',
    'patch deployments.apps',
    'list pods',
    'get secrets',
    'create events.events.k8s.io',
  ])('the operator may %s', async (words) => {
    expect(await mayI(words, operator)).toBe(true);
  });

  test.each([
    'list secrets',
    'watch secrets',
    'create secrets',
    'patch workflows.arpeggio.dev',
    'delete taskqueues.arpeggio.dev',
    'delete workerpools.arpeggio.dev',
    'deletecollection workflows.arpeggio.dev',
    'create workflows.arpeggio.dev',
    'update workflows.arpeggio.dev/status',
    'delete deployments.apps',
    'delete pods',
    'create pods',
    'create pods/exec',
    'get pods/log',
    'create roles',
    'bind clusterroles',
    'escalate clusterroles',
    'impersonate users',
    'create serviceaccounts/token',
    'get nodes',
    'patch namespaces',
    'patch customresourcedefinitions.apiextensions.k8s.io',
    'get configmaps',
    'create leases.coordination.k8s.io',
  ])('the operator may not %s', async (words) => {
    expect(await mayI(words, operator)).toBe(false);
  });

  test('the operator leads by a Lease of its own name', async () => {
    const may = async (name: string): Promise<string> => {
      const words = [
        'auth',
        'can-i',
        'update',
        `leases.coordination.k8s.io/${name}`,
        `--as=${operator}`,
        '-n',
        namespace,
      ];
      return (await tryCommand(cluster.kubectl, words, { env: { KUBECONFIG: cluster.kubeconfigPath } })).stdout.trim();
    };
    expect([await may('arpeggio-operator'), await may('other')]).toEqual(['yes', 'no']);
  });

  test.each([
    { role: 'view', may: 'list workflows.arpeggio.dev', mayNot: 'create workflows.arpeggio.dev' },
    { role: 'edit', may: 'create workflows.arpeggio.dev', mayNot: 'create workerpools.arpeggio.dev' },
    {
      role: 'admin',
      may: 'create workerpools.arpeggio.dev',
      mayNot: 'patch workflows.arpeggio.dev/status',
    },
  ])("who has the cluster's role $role may $may, not $mayNot", async ({ role, may, mayNot }) => {
    await kubectl(['create', 'rolebinding', `people-${role}`, `--clusterrole=${role}`, `--user=${role}`]);
    await until(`${role} is aggregated`, 60_000, () => mayI(may, role));
    expect(await mayI(mayNot, role)).toBe(false);
  });
});

describe('admission', () => {
  const frozen =
    "of a Workflow's spec only suspend, cancel, retryFailed, deadline and ttlAfterFinished can be changed once it exists; create a new Workflow";
  const object = (kind: string, name: string, spec: object): object => ({
    apiVersion: 'arpeggio.dev/v1alpha1',
    kind,
    metadata: { name },
    spec,
  });
  const deep = '/spec/chain/1/group/0/chain/0/group';
  const members = [{ task: 'deep', kwargs: { p: 1, q: 2.5 } }, { task: 'other' }];
  const spec = {
    chain: [{ task: 'a', kwargs: { x: 1 } }, { group: [{ chain: [{ group: members }] }] }],
    finally: [{ task: 'z' }],
  };
  const patch = ['patch', 'awf', 'frozen', '--type=json', '-p'];

  beforeAll(async () => {
    // A policy takes effect a moment after it was made.
    const path = '/apis/arpeggio.dev/v1alpha1/namespaces/default/workflows';
    await kubectl(['create', '-f', '-'], object('Workflow', 'probe', { task: 'a' }));
    await until('the policies are in force', 60_000, async () => {
      const change = { spec: { task: 'b' } };
      const answer = await cluster.api.call(
        'PATCH',
        `${path}/probe?dryRun=All`,
        change,
        'application/merge-patch+json',
      );
      return answer.status === 403;
    });
    await kubectl(['create', '-f', '-'], object('Workflow', 'frozen', spec));
  });

  test.each([
    { why: 'a task is renamed', change: { op: 'replace', path: '/spec/chain/0/task', value: 'b' } },
    {
      why: 'a keyword argument is renamed far below the schema',
      change: { op: 'move', from: `${deep}/0/kwargs/p`, path: `${deep}/0/kwargs/pp` },
    },
    { why: 'a number changes far below the schema', change: { op: 'replace', path: `${deep}/0/kwargs/q`, value: 2.6 } },
    { why: 'two deep subtrees are swapped', change: { op: 'replace', path: deep, value: [...members].reverse() } },
    { why: 'a key is added', change: { op: 'add', path: '/spec/defaultQueue', value: 'cpu' } },
    { why: 'an empty list is added', change: { op: 'add', path: '/spec/link', value: [] } },
    { why: 'a key is removed', change: { op: 'remove', path: '/spec/finally' } },
  ])('a Workflow stays as it was written when $why', async ({ change }) => {
    expect(await kubectl.refused([...patch, JSON.stringify([change])])).toContain(frozen);
  });

  test('what asks something of the run may come, change and go', async () => {
    const asks = { suspend: true, deadline: '2h', ttlAfterFinished: '1h', cancel: true };
    const merge = ['patch', 'awf', 'frozen', '--type=merge', '-p'];
    await kubectl([...merge, JSON.stringify({ spec: asks })]);
    await kubectl([...merge, JSON.stringify({ spec: { suspend: false, deadline: '3h', ttlAfterFinished: null } })]);
    await kubectl([...merge, JSON.stringify({ spec: { suspend: null, cancel: null, retryFailed: 2 } })]);
    const keys = await kubectl([
      'get',
      'awf',
      'frozen',
      '-o',
      'jsonpath={.spec.retryFailed} {.spec.deadline} {.spec.cancel}',
    ]);
    expect(keys).toBe('2 3h ');
    const both = { suspend: true, maxParallel: 3 };
    expect(await kubectl.refused([...merge, JSON.stringify({ spec: both })])).toContain(frozen);
  });

  test('everything but its spec may change', async () => {
    await kubectl(['label', 'awf', 'frozen', 'team=a']);
    await kubectl([
      'patch',
      'awf',
      'frozen',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"state":"Running"}}',
    ]);
    await kubectl(['replace', '-f', '-'], await kubectl(['get', 'awf', 'frozen', '-o', 'json']));
    await kubectl(['apply', '--server-side', '-f', '-'], object('Workflow', 'frozen', spec));
  });

  test('kubectl apply does not lose an argument that is null unnoticed', async () => {
    const withNull = object('Workflow', 'with-null', { task: 'a', kwargs: { x: null } });
    expect(await kubectl.refused(['apply', '-f', '-'], withNull)).toContain(
      'use kubectl create, or kubectl apply --server-side',
    );
    await kubectl(['apply', '--server-side', '-f', '-'], withNull);
    expect(await kubectl(['get', 'awf', 'with-null', '-o', 'jsonpath={.spec.kwargs}'])).toBe('{"x":null}');
  });

  test('who may not make pods may not have a WorkerPool make them', async () => {
    const pool = object('WorkerPool', 'mine', { queues: ['cpu'] });
    await kubectl(['create', 'role', 'pools', '--verb=create,get,patch', '--resource=workerpools.arpeggio.dev']);
    await kubectl(['create', 'rolebinding', 'pools', '--role=pools', '--user=dev']);
    // The API server knows of a new role a moment later; until then it refuses for want of it.
    const said = (): Promise<string> => kubectl.refused(['create', '-f', '-', '--as=dev'], pool);
    await expect.poll(said).toContain('writing a WorkerPool needs the right to create pods in its namespace');
    await kubectl(['create', 'role', 'pods', '--verb=create', '--resource=pods']);
    await kubectl(['create', 'rolebinding', 'pods', '--role=pods', '--user=dev']);
    await until('the right is known', 60_000, async () => {
      const { code } = await tryCommand(cluster.kubectl, ['create', '-f', '-', '--as=dev'], {
        env: { KUBECONFIG: cluster.kubeconfigPath },
        input: JSON.stringify(pool),
      });
      return code === 0;
    });
  });

  test('helm uninstall leaves the CRDs and what was made of them', async () => {
    await helm('uninstall', 'arpeggio', '--namespace', namespace);
    expect(await kubectl(['get', 'awf', 'frozen', '-o', 'name'])).toBe('workflow.arpeggio.dev/frozen\n');
    await install();
    expect(await kubectl(['get', 'awf', 'frozen', '-o', 'name'])).toBe('workflow.arpeggio.dev/frozen\n');
  });
});
