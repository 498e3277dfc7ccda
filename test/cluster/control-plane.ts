import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  controlPlaneCertificates,
  makeCertificates,
  writeKubeconfig,
  type CertificateRequest,
} from './certificates.ts';
import { openKubeApi, until, type KubeApi } from './kube-api.ts';
import { isRunning, tailOf, type Launcher } from './processes.ts';

export type ControlPlaneOptions = {
  readonly binary: string;
  readonly launcher: Launcher;
  /** Where the API server listens and is reached. */
  readonly address: string;
  readonly ports: { readonly api: number; readonly etcd: number; readonly etcdPeer: number };
  /** Where Services get their addresses from, and the first of them. */
  readonly services: { readonly range: string; readonly first: string };
  readonly network?: string;
  /** Certificates beyond the control plane's own: one per node. */
  readonly certificates?: readonly CertificateRequest[];
  /** Seconds without a heartbeat until a node is lost, and until the pods on it are given up. */
  readonly nodeLoss?: { readonly graceSeconds: number; readonly tolerationSeconds: number };
};

export type ControlPlane = {
  readonly folder: string;
  readonly pki: string;
  readonly server: string;
  /** May do anything: `system:masters`. */
  readonly adminKubeconfig: string;
  readonly api: KubeApi;
};

const READY_WITHIN_MS = 240_000;

/** Starts etcd, the API server, the controller manager and the scheduler; resolves when the API server is ready. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { binary, launcher, address, ports } = options;
  const folder = launcher.folder;
  const pki = join(folder, 'pki');
  const server = `https://${address}:${ports.api}`;
  await mkdir(join(folder, 'etcd'), { recursive: true, mode: 0o700 });
  const etcd = launcher.launch({
    name: 'etcd',
    command: binary,
    args: etcdArguments(folder, ports),
    network: options.network,
  });
  const own = controlPlaneCertificates([address, '127.0.0.1'], options.services.first);
  await makeCertificates(binary, pki, [...own, ...(options.certificates ?? [])]);
  const apiServer = launcher.launch({
    name: 'kube-apiserver',
    command: binary,
    args: apiServerArguments(options, pki),
    network: options.network,
  });
  const adminKubeconfig = join(folder, 'kubeconfig');
  const write = (name: string): Promise<void> =>
    writeKubeconfig(join(folder, `${name}.kubeconfig`), pki, server, { certificate: name });
  await Promise.all([
    writeKubeconfig(adminKubeconfig, pki, server, { certificate: 'admin' }),
    write('controller-manager'),
    write('scheduler'),
  ]);
  const api = openKubeApi(adminKubeconfig);
  await until('the API server is ready', READY_WITHIN_MS, async () => {
    assertRunning(folder, { etcd, 'kube-apiserver': apiServer });
    return (await api.call('GET', '/readyz')).status === 200;
  }).catch((error: unknown) => {
    api.close();
    throw error;
  });
  startControllers(options, pki);
  return { folder, pki, server, adminKubeconfig, api };
}

/** Pods are refused until the controller manager has made the account they run as. */
export async function untilControllersWork(api: KubeApi): Promise<void> {
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  await until(
    'the controller manager works',
    READY_WITHIN_MS,
    async () => (await api.call('GET', account)).status === 200,
  );
}

function assertRunning(folder: string, parts: Readonly<Record<string, number>>): void {
  for (const [name, pid] of Object.entries(parts)) {
    if (!isRunning(pid))
      throw new Error(`${name} ended; its log ${join(folder, 'logs', `${name}.log`)} says:\n${tailOf(folder, name)}`);
  }
}

function etcdArguments(folder: string, ports: ControlPlaneOptions['ports']): string[] {
  const [client, peer] = [`http://127.0.0.1:${ports.etcd}`, `http://127.0.0.1:${ports.etcdPeer}`];
  return [
    'etcd',
    ...['--name', 'arpeggio', '--data-dir', join(folder, 'etcd'), '--log-level', 'warn'],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `arpeggio=${peer}`],
    // What is lost in a power cut is a cluster for trying out.
    '--unsafe-no-fsync',
  ];
}

function apiServerArguments(options: ControlPlaneOptions, pki: string): string[] {
  const file = (name: string): string => join(pki, name);
  const toleration = String(options.nodeLoss?.tolerationSeconds ?? 300);
  const loopback = options.address.startsWith('127.');
  return [
    'kube-apiserver',
    ...['--bind-address', options.address, '--secure-port', String(options.ports.api)],
    // An address of the loopback may not stand among a Service's endpoints.
    ...(loopback ? ['--endpoint-reconciler-type', 'none'] : ['--advertise-address', options.address]),
    ...['--etcd-servers', `http://127.0.0.1:${options.ports.etcd}`],
    ...[
      '--authorization-mode',
      'Node,RBAC',
      '--enable-admission-plugins',
      'NodeRestriction',
      '--allow-privileged=true',
    ],
    ...[
      '--client-ca-file',
      file('ca.crt'),
      '--tls-cert-file',
      file('apiserver.crt'),
      '--tls-private-key-file',
      file('apiserver.key'),
    ],
    ...['--kubelet-client-certificate', file('kubelet-client.crt'), '--kubelet-client-key', file('kubelet-client.key')],
    ...['--kubelet-preferred-address-types', 'InternalIP'],
    ...['--service-account-issuer', 'https://kubernetes.default.svc.cluster.local'],
    ...['--service-account-key-file', file('sa.pub'), '--service-account-signing-key-file', file('sa.key')],
    ...['--service-cluster-ip-range', options.services.range],
    ...['--default-not-ready-toleration-seconds', toleration, '--default-unreachable-toleration-seconds', toleration],
    // Its profiles are for `npm run bench -- --profile`.
    ...['--profiling=true', '--v', '1'],
  ];
}

function startControllers(options: ControlPlaneOptions, pki: string): void {
  const { binary, launcher, network } = options;
  const kubeconfig = (name: string): string => join(launcher.folder, `${name}.kubeconfig`);
  const grace = options.nodeLoss?.graceSeconds ?? 50;
  launcher.launch({
    name: 'kube-controller-manager',
    command: binary,
    network,
    args: [
      'kube-controller-manager',
      ...[
        '--kubeconfig',
        kubeconfig('controller-manager'),
        '--leader-elect=false',
        '--secure-port',
        '0',
        '--profiling=false',
      ],
      // It asks for a token per controller before it starts any; at the default rate that takes seconds.
      ...['--kube-api-qps', '200', '--kube-api-burst', '400'],
      ...['--use-service-account-credentials', '--service-account-private-key-file', join(pki, 'sa.key')],
      ...['--root-ca-file', join(pki, 'ca.crt'), '--service-cluster-ip-range', options.services.range],
      ...['--node-monitor-grace-period', `${grace}s`, '--node-monitor-period', '2s'],
    ],
  });
  launcher.launch({
    name: 'kube-scheduler',
    command: binary,
    network,
    args: [
      'kube-scheduler',
      '--kubeconfig',
      kubeconfig('scheduler'),
      '--leader-elect=false',
      '--secure-port',
      '0',
      '--profiling=false',
    ],
  });
}
