import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { until } from '../cluster/kube-api.ts';
import { startBoundProcess } from '../support/bound-process.ts';
import { installChart, operatorName, operatorNamespace, type InstalledChart } from '../support/chart.ts';
import { freePort } from '../support/free-port.ts';
import { outsideEnvironment } from '../support/operator.ts';

let cluster: ApiCluster;
let chart: InstalledChart;
const children: ChildProcess[] = [];
const ended = new Map<ChildProcess, Promise<unknown[]>>();

beforeAll(async () => {
  cluster = await startApiCluster({ nodes: [] });
  chart = await installChart(cluster);
});
afterAll(() => cluster.stop());
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

type LogLine = { readonly level: string; readonly msg: string };
type OperatorProcess = {
  readonly child: ChildProcess;
  readonly lines: readonly LogLine[];
  readonly said: (message: string) => boolean;
  readonly health: (path: string) => Promise<number>;
};

/** The program as its image runs it, under this pod's name. */
async function startProcess(podName: string, more: Record<string, string> = {}): Promise<OperatorProcess> {
  const port = await freePort();
  const { child } = startBoundProcess([process.execPath, 'operator/main.ts'], {
    cwd: REPOSITORY,
    env: {
      ...outsideEnvironment(chart),
      KUBECONFIG: chart.kubeconfigPath,
      ARPEGGIO_POD_NAME: podName,
      ARPEGGIO_HEALTH_PORT: String(port),
      ARPEGGIO_LOG_LEVEL: 'info',
      ...more,
    },
  });
  children.push(child);
  ended.set(child, once(child, 'close'));
  const lines: LogLine[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(JSON.parse(line) as LogLine));
  return {
    child,
    lines,
    said: (message) => lines.some(({ msg }) => msg === message),
    health: async (path) => (await fetch(`http://127.0.0.1:${String(port)}${path}`)).status,
  };
}

/** Which pod leads by the Lease; nothing once it was given up. */
async function holder(): Promise<string> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${operatorNamespace}/leases/${operatorName}`;
  const { spec } = (await cluster.api.expect('GET', path)) as { spec: { holderIdentity: string } };
  return spec.holderIdentity.replace(/_.*/, '');
}

/** With all that it said: what it wrote may be read after it has ended. */
async function ends(child: ChildProcess): Promise<number | null> {
  const [code] = (await ended.get(child)!) as [number | null];
  return code;
}

describe('the operator', () => {
  test('leads, hands over when asked to stop, and is replaced when it is killed', async () => {
    const first = await startProcess('pod-1');
    await until('the first leads', 60_000, async () => first.said('leading') && (await holder()) === 'pod-1');
    const second = await startProcess('pod-2');
    await until('the standby is ready', 60_000, async () => (await second.health('/readyz')) === 200);
    expect(await second.health('/healthz')).toBe(200);
    expect(second.said('leading')).toBe(false);

    // Held up, so that it can be seen that the first gives up its Lease, and no one has to wait until it runs out.
    second.child.kill('SIGSTOP');
    first.child.kill('SIGTERM');
    expect(await ends(first.child)).toBe(0);
    expect(first.said('no longer leading')).toBe(true);
    expect(await holder()).toBe('');
    second.child.kill('SIGCONT');
    await until('the second leads', 60_000, () => Promise.resolve(second.said('leading')));

    const third = await startProcess('pod-3');
    await until('the standby is ready', 60_000, async () => (await third.health('/readyz')) === 200);
    second.child.kill('SIGKILL');
    await until('the third leads', 60_000, () => Promise.resolve(third.said('leading')));
    expect([...first.lines, ...third.lines].filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('names the variable that is wrong and ends', async () => {
    const child = spawn(process.execPath, ['operator/main.ts'], {
      cwd: REPOSITORY,
      env: {},
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    ended.set(child, once(child, 'close'));
    const said: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    expect(await ends(child)).toBe(2);
    expect(said.join('')).toContain('ARPEGGIO_NAMESPACE is not set');
  });

  test('waits, unready and alive, for an API server that does not answer', async () => {
    const kubeconfig = await readFile(chart.kubeconfigPath, 'utf8');
    const file = join(cluster.folder, 'away.kubeconfig');
    await writeFile(file, kubeconfig.replace(/https:\/\/127\.0\.0\.1:\d+/, 'https://127.0.0.1:1'));
    const away = await startProcess('pod-4', { KUBECONFIG: file });
    await until('it lives', 60_000, async () => (await away.health('/healthz')) === 200);
    expect(await away.health('/readyz')).toBe(503);
    away.child.kill('SIGTERM');
    expect(await ends(away.child)).toBe(0);
  });
});
