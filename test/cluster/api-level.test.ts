import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApiCluster, type ApiCluster } from './api-level.ts';
import { runCommand } from './command.ts';
import { openKubeApi, until } from './kube-api.ts';
import { ourProcesses } from './processes.ts';

type Node = {
  metadata: { name: string; labels: Record<string, string> };
  status: { allocatable: Record<string, string> };
};
type Pod = {
  spec: { nodeName?: string };
  status: { phase?: string; conditions?: { type: string; reason?: string }[] };
};

describe('a cluster at the api level', () => {
  let cluster: ApiCluster;

  beforeAll(async () => {
    cluster = await startApiCluster();
  });
  afterAll(async () => {
    await cluster.stop();
    expect(ourProcesses(cluster.folder)).toEqual([]);
  });

  async function run(name: string, spec: object, labels: object = {}): Promise<void> {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec };
    await cluster.api.expect('POST', '/api/v1/namespaces/default/pods', pod);
  }
  async function read(name: string): Promise<Pod> {
    return (await cluster.api.expect('GET', `/api/v1/namespaces/default/pods/${name}`)) as Pod;
  }
  const container = { name: 'main', image: 'example.org/nothing:1' };

  test('has nodes with and without GPUs', async () => {
    const { items } = (await cluster.api.expect('GET', '/api/v1/nodes')) as { items: Node[] };
    const gpus = items.map((node) => [node.metadata.name, node.status.allocatable['nvidia.com/gpu']]);
    expect(gpus).toEqual([
      ['cpu-1', undefined],
      ['cpu-2', undefined],
      ['gpu-1', '2'],
      ['gpu-2', '1'],
    ]);
    expect(items[2]?.metadata.labels['nvidia.com/gpu.product']).toBe('NVIDIA-A100-SXM4-40GB');
  });

  test('binds a pod to the node that has the resource it asks for, and runs it', async () => {
    await run('trainer', {
      containers: [{ ...container, resources: { limits: { 'nvidia.com/gpu': '1' } } }],
      nodeSelector: { 'nvidia.com/gpu.product': 'NVIDIA-L4' },
    });
    await until('the pod runs', 120_000, async () => (await read('trainer')).status.phase === 'Running');
    expect((await read('trainer')).spec.nodeName).toBe('gpu-2');
  });

  test('says of a pod that fits nowhere that it cannot be scheduled', async () => {
    await run('giant', { containers: [{ ...container, resources: { limits: { 'nvidia.com/gpu': '64' } } }] });
    await until('the scheduler has judged', 120_000, async () => {
      return (await read('giant')).status.conditions?.some(({ reason }) => reason === 'Unschedulable') === true;
    });
  });

  test('holds a pod whose label says so in an image pull that fails', async () => {
    await run('unpullable', { containers: [container] }, { 'test.arpeggio.dev/image-pull': 'fails' });
    await until('the pull backs off', 120_000, async () =>
      JSON.stringify((await read('unpullable')).status).includes('ImagePullBackOff'),
    );
    expect((await read('unpullable')).status.phase).toBe('Pending');
  });

  test('lets a deleted pod go', async () => {
    await run('passing', { containers: [container] });
    await until('the pod runs', 120_000, async () => (await read('passing')).status.phase === 'Running');
    await cluster.api.expect('DELETE', '/api/v1/namespaces/default/pods/passing');
    await until('the pod is gone', 120_000, async () => {
      return (await cluster.api.call('GET', '/api/v1/namespaces/default/pods/passing')).status === 404;
    });
  });

  test('allows a ServiceAccount what its role says, and nothing else', async () => {
    const { api } = cluster;
    const role = { kind: 'Role', apiGroup: 'rbac.authorization.k8s.io', name: 'reader' };
    await api.expect('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'visitor' } });
    await api.expect('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', {
      metadata: { name: 'reader' },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }],
    });
    await api.expect('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
      metadata: { name: 'visitor-reads' },
      roleRef: role,
      subjects: [{ kind: 'ServiceAccount', name: 'visitor', namespace: 'default' }],
    });
    const visitor = openKubeApi(await cluster.asServiceAccount('default', 'visitor'));
    try {
      await until('the role is in force', 120_000, async () => {
        return (await visitor.call('GET', '/api/v1/namespaces/default/configmaps')).status === 200;
      });
      expect((await visitor.call('GET', '/api/v1/namespaces/default/secrets')).status).toBe(403);
      expect((await visitor.call('GET', '/api/v1/namespaces/kube-system/configmaps')).status).toBe(403);
    } finally {
      visitor.close();
    }
  });

  test('answers kubectl', async () => {
    const version = await runCommand(cluster.kubectl, [
      '--kubeconfig',
      cluster.kubeconfigPath,
      'version',
      '-o',
      'json',
    ]);
    expect((JSON.parse(version) as { serverVersion: { gitVersion: string } }).serverVersion.gitVersion).toBe('v1.36.3');
  });

  test('dies with the process that started it, however that dies', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'arpeggio-api-'));
    const program = `
      import { startApiCluster } from ${JSON.stringify(join(import.meta.dirname, 'api-level.ts'))};
      await startApiCluster({ directory: ${JSON.stringify(directory)}, nodes: [] });
      console.log('up');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(ourProcesses(directory).map(({ name }) => name)).toContain('kube-apiserver');
    child.kill('SIGKILL');
    await until('nothing of it runs', 120_000, () => Promise.resolve(ourProcesses(directory).length === 0));
    rmSync(directory, { recursive: true });
  });

  test('stands beside another, and neither sees the other', async () => {
    const other = await startApiCluster({ nodes: [{ name: 'only' }] });
    try {
      await other.api.expect('POST', '/api/v1/namespaces', { metadata: { name: 'elsewhere' } });
      expect((await other.api.call('GET', '/api/v1/namespaces/elsewhere')).status).toBe(200);
      expect((await cluster.api.call('GET', '/api/v1/namespaces/elsewhere')).status).toBe(404);
    } finally {
      await other.stop();
    }
    expect(ourProcesses(other.folder)).toEqual([]);
    expect((await cluster.api.call('GET', '/readyz')).status).toBe(200);
  });
});
