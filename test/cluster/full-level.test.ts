import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kubectl, missingParts, openCluster, type Cluster } from './cluster.ts';
import { existingCluster } from './existing.ts';
import { REPOSITORY } from './folders.ts';
import { until } from './kube-api.ts';
import { mountsBelow } from './mounts.ts';
import { probeImage } from './probe-image.ts';
import { identityOf, ourProcesses } from './processes.ts';
import { slotOf, type Slot } from './slot.ts';
import { readState, writeState } from './state.ts';
import { endFullLevel } from './teardown.ts';

/** Its own cluster beside any other of this machine, for it is killed and taken down here. */
const folder = mkdtempSync('/tmp/arpeggio-full-');

let cluster: Cluster;

const run = (...args: string[]): string => kubectl(cluster, args);
const apply = (...objects: object[]): string =>
  kubectl(cluster, ['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
const slotNow = (): Slot => slotOf(readState(folder)?.slot ?? -1);

async function open(): Promise<void> {
  cluster = await openCluster(folder);
  await cluster.loadImage(await probeImage());
}

/** A container that the strictest pod security lets in, running this program. */
function container(program: string, more: object = {}): object {
  return {
    name: 'main',
    image: 'arpeggio.dev/probe:1',
    args: ['-e', program],
    imagePullPolicy: 'IfNotPresent',
    securityContext: {
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...more,
  };
}
const pod = (name: string, spec: object): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { restartPolicy: 'Never', ...spec },
});
const phaseOf = (name: string): string => run('get', 'pod', name, '-o', 'jsonpath={.status.phase}');
const on = (node: string): object => ({ nodeSelector: { 'kubernetes.io/hostname': node } });

const SERVER = `
  const served = new Set();
  require('http').createServer((q, r) => { console.log(q.url); r.end('do re mi'); }).listen(8080, () => console.log('listening'));
  process.on('SIGTERM', () => process.exit(0));`;

describe('a cluster of two real nodes', () => {
  beforeAll(open);
  afterAll(async () => {
    await endFullLevel(folder);
  });

  test('has two nodes that are Ready, one with GPUs of a product', () => {
    type Node = { metadata: { labels: Record<string, string> }; status: { allocatable: Record<string, string> } };
    run('wait', 'node', '--all', '--for=condition=Ready', '--timeout=240s');
    const { items } = JSON.parse(run('get', 'nodes', '-o', 'json')) as { items: Node[] };
    const seen = items.map(({ metadata, status }) => [
      metadata.labels['kubernetes.io/hostname'],
      status.allocatable['nvidia.com/gpu'],
      metadata.labels['nvidia.com/gpu.product'],
    ]);
    expect(seen).toEqual([
      ['cpu', undefined, undefined],
      ['gpu', '2', 'NVIDIA-A100-SXM4-40GB'],
    ]);
  });

  test('runs a pod where the resource is that it asks for, and shows its log', async () => {
    const resources = { limits: { 'nvidia.com/gpu': '1' } };
    apply(pod('trainer', { containers: [container("console.log('trained by', process.getuid())", { resources })] }));
    await until('it succeeds', 240_000, () => Promise.resolve(phaseOf('trainer') === 'Succeeded'));
    expect(run('get', 'pod', 'trainer', '-o', 'jsonpath={.spec.nodeName}')).toBe('gpu');
    expect(run('logs', 'trainer')).toBe('trained by 65532\n');
  });

  test('probes, serves a Service by its name from node to node, and runs commands in a pod', async () => {
    const readinessProbe = { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1 };
    apply(pod('server', { ...on('cpu'), containers: [container(SERVER, { readinessProbe })] }), {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'music' },
      spec: { selector: { app: 'server' }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    run('wait', 'pod/server', '--for=condition=Ready', '--timeout=240s');
    const ask = `fetch('http://music.default.svc/asked').then((r) => r.text()).then(console.log, (e) => { console.log(e.cause); process.exit(1); })`;
    apply(pod('client', { ...on('gpu'), restartPolicy: 'OnFailure', containers: [container(ask)] }));
    await until('it is answered', 240_000, () => Promise.resolve(phaseOf('client') === 'Succeeded'));
    expect(run('logs', 'client')).toBe('do re mi\n');
    expect(run('logs', 'server')).toContain('/ready');
    expect(run('exec', 'server', '--', process.execPath, '-p', '6 * 7')).toBe('42\n');
    const address = run('get', 'service', 'music', '-o', 'jsonpath={.spec.clusterIP}');
    expect(await (await fetch(`http://${address}/from-the-machine`)).text()).toBe('do re mi');
  });

  test('lets a pod speak to the API server by its name', async () => {
    const ask = `
      const account = '/var/run/secrets/kubernetes.io/serviceaccount/';
      const ca = require('fs').readFileSync(account + 'ca.crt');
      require('https').get('https://kubernetes.default.svc/readyz', { ca }, (r) => {
        console.log(r.statusCode);
        process.exitCode = r.statusCode === 200 ? 0 : 1;
        r.resume();
      });`;
    apply(pod('asker', { restartPolicy: 'OnFailure', containers: [container(ask)] }));
    await until('it has asked', 240_000, () => Promise.resolve(phaseOf('asker') === 'Succeeded'));
    expect(run('logs', 'asker')).toBe('200\n');
  });

  test('tells a deleted pod by SIGTERM and waits for its goodbye', async () => {
    const program = `
      setInterval(() => {}, 1000);
      process.on('SIGTERM', () => fetch('http://music.default.svc/goodbye').then(() => process.exit(0)));
      console.log('here');`;
    apply(pod('leaver', { ...on('gpu'), terminationGracePeriodSeconds: 600, containers: [container(program)] }));
    await until('it is there', 240_000, () =>
      Promise.resolve(phaseOf('leaver') === 'Running' && run('logs', 'leaver') === 'here\n'),
    );
    // It would be killed after its ten minutes, and say nothing.
    run('delete', 'pod', 'leaver', '--timeout=240s');
    expect(run('logs', 'server')).toContain('/goodbye');
  });

  test('gives a StatefulSet a disk that any user may write and that outlives the pod', async () => {
    const write = `
      const fs = require('fs');
      fs.appendFileSync('/data/lives', 'x');
      console.log(fs.readFileSync('/data/lives', 'utf8'));
      setInterval(() => {}, 1000);
      process.on('SIGTERM', () => process.exit(0));`;
    apply({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'keeper' },
      spec: {
        selector: { matchLabels: { app: 'keeper' } },
        serviceName: 'keeper',
        template: {
          metadata: { labels: { app: 'keeper' } },
          spec: { containers: [container(write, { volumeMounts: [{ name: 'data', mountPath: '/data' }] })] },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    });
    const lives = (count: number) => () => Promise.resolve(run('logs', 'keeper-0') === `${'x'.repeat(count)}\n`);
    await until('it has written', 240_000, lives(1));
    run('delete', 'pod', 'keeper-0');
    await until('it has written again', 240_000, lives(2));
    run('delete', 'statefulset', 'keeper');
  });

  test('evicts from a drained node, and the pod comes up on the other', async () => {
    const spec = { containers: [container(SERVER)], affinity: { nodeAffinity: preferring('cpu') } };
    apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'mover' },
      spec: { selector: { matchLabels: { app: 'mover' } }, template: { metadata: { labels: { app: 'mover' } }, spec } },
    });
    run('rollout', 'status', 'deployment/mover', '--timeout=240s');
    const where = (): string => run('get', 'pods', '-l', 'app=mover', '-o', 'jsonpath={.items[*].spec.nodeName}');
    expect(where()).toBe('cpu');
    run('drain', 'cpu', '--pod-selector=app=mover', '--timeout=240s');
    await until('it moved', 240_000, () => Promise.resolve(where() === 'gpu'));
    run('uncordon', 'cpu');
    run('delete', 'deployment', 'mover');
  });

  test('is an existing cluster like any other to one who names its kubeconfig', async () => {
    const before = { ...process.env };
    const note = join(folder, 'handed-over');
    process.env['KUBECONFIG'] = cluster.kubeconfigPath;
    process.env['ARPEGGIO_LOAD_IMAGE'] = `printf '%s %s' {image} {archive} > ${note}`;
    try {
      const existing = await existingCluster();
      expect(kubectl(existing, ['get', 'nodes', '-o', 'name'])).toBe('node/cpu\nnode/gpu\n');
      await existing.loadImage({ name: 'example.org/it:1', archive: "/tmp/it's here.tar" });
      expect(readFileSync(note, 'utf8')).toBe("example.org/it:1 /tmp/it's here.tar");
    } finally {
      process.env = before;
    }
  });

  test('is left alone by a second up', async () => {
    // Containers' helpers come and go at any time, and begin as copies of their parents: of each name the first counts.
    const parts = (): Map<string, string> => {
      const found = ourProcesses(folder).filter(({ name }) => /^(etcd|kube|coredns|containerd-(cpu|gpu)$)/.test(name));
      const living = found.map(({ name, pid }) => ({ name, identity: identityOf(pid) ?? '' }));
      const begun = (identity: string): number => Number(identity.split(' ')[1] ?? Infinity);
      const byAge = living.toSorted((one, other) => begun(other.identity) - begun(one.identity));
      return new Map(byAge.map(({ name, identity }) => [name, identity]));
    };
    const before = parts();
    expect(before.size).toBeGreaterThan(8);
    const uid = run('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}');
    await open();
    expect(parts()).toEqual(before);
    expect(run('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}')).toBe(uid);
  });

  test('is left alone when a cluster that had its place before a reboot is taken down', async () => {
    const forgotten = mkdtempSync('/tmp/arpeggio-full-');
    writeState(forgotten, { level: 'full', slot: slotNow().number });
    await endFullLevel(forgotten);
    expect(existsSync(forgotten)).toBe(false);
    expect(missingParts(folder, 'full')).toEqual([]);
    expect(phaseOf('server')).toBe('Running');
  });

  test('comes up again after everything was killed', async () => {
    const killed = ourProcesses(folder);
    expect(killed.some(({ name }) => name.endsWith('-shim'))).toBe(true);
    for (const { pid } of killed) kill(pid);
    await open();
    run('wait', 'node', '--all', '--for=condition=Ready', '--timeout=240s');
    apply(pod('again', { containers: [container("console.log('again')")] }));
    await until('a pod runs', 240_000, () => Promise.resolve(phaseOf('again') === 'Succeeded'));
  });

  test('comes up after an up that was killed half way', async () => {
    await endFullLevel(folder);
    const half = spawn(process.execPath, [join(REPOSITORY, 'test/cluster/main.ts'), 'up'], {
      env: { ...process.env, ARPEGGIO_CLUSTER_DIR: folder },
      stdio: 'ignore',
    });
    await until('it has begun', 240_000, () =>
      Promise.resolve(ourProcesses(folder).some(({ name }) => name === 'containerd-gpu')),
    );
    const gone = once(half, 'exit');
    half.kill('SIGKILL');
    await gone;
    await open();
    run('wait', 'node', '--all', '--for=condition=Ready', '--timeout=240s');
  });

  test('goes without a trace', async () => {
    const slot = slotNow();
    apply(pod('stubborn', { containers: [container("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)")] }));
    await until('it runs', 240_000, () => Promise.resolve(phaseOf('stubborn') === 'Running'));
    await endFullLevel(folder);
    expect(ourProcesses(folder)).toEqual([]);
    expect(mountsBelow(folder)).toEqual([]);
    expect(mountsBelow(slot.runFolder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    expect(existsSync(slot.runFolder)).toBe(false);
    expect(execFileSync('ip', ['netns'], { encoding: 'utf8' })).not.toMatch(new RegExp(`^${slot.network}\\b`, 'm'));
    expect(execFileSync('ip', ['link'], { encoding: 'utf8' })).not.toContain(` ${slot.cable}@`);
    const rules = ['filter', 'nat']
      .map((table) => execFileSync('iptables', ['-w', '-t', table, '-S'], { encoding: 'utf8' }))
      .join('');
    expect(rules).not.toContain(slot.chain);
    expect(rules).not.toContain('KUBE-');
    const hierarchies = ['', ...readdirSync('/sys/fs/cgroup')].map((name) => join('/sys/fs/cgroup', name, slot.cgroup));
    expect(hierarchies.filter((path) => existsSync(path))).toEqual([]);
    await endFullLevel(folder); // Once more is harmless.
  });
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // A helper of a part, which has ended meanwhile.
  }
}

function preferring(node: string): object {
  const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }];
  return { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: { matchExpressions } }] };
}
