import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { runCommand } from './command.ts';

export type CertificateRequest = {
  /** Files `<name>.crt` and `<name>.key`. */
  readonly name: string;
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly hosts?: readonly string[];
};

/** Who a kubeconfig speaks as: a client certificate among the made ones, or a token. */
export type Credentials = { readonly certificate: string } | { readonly token: string };

/** The names a control plane's own parts go by; `system:masters` may do anything. */
export function controlPlaneCertificates(addresses: readonly string[], serviceAddress: string): CertificateRequest[] {
  const names = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    'localhost',
  ];
  return [
    { name: 'apiserver', commonName: 'kube-apiserver', hosts: [...names, ...addresses, serviceAddress] },
    { name: 'admin', commonName: 'kubernetes-admin', organizations: ['system:masters'] },
    { name: 'kubelet-client', commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'] },
    { name: 'controller-manager', commonName: 'system:kube-controller-manager' },
    { name: 'scheduler', commonName: 'system:kube-scheduler' },
  ];
}

/** Makes a new authority and these certificates in `folder`. */
export async function makeCertificates(
  binary: string,
  folder: string,
  requests: readonly CertificateRequest[],
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await runCommand(binary, ['certificates', folder], { input: JSON.stringify(requests) });
}

/** Writes a kubeconfig that holds all it needs, so that it may be copied anywhere on this machine. */
export async function writeKubeconfig(
  path: string,
  pki: string,
  server: string,
  credentials: Credentials,
): Promise<void> {
  const read = async (file: string): Promise<string> => (await readFile(join(pki, file))).toString('base64');
  const user =
    'token' in credentials
      ? { token: credentials.token }
      : {
          'client-certificate-data': await read(`${credentials.certificate}.crt`),
          'client-key-data': await read(`${credentials.certificate}.key`),
        };
  const name = 'arpeggio';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': await read('ca.crt') } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  await writeFile(path, dump(config), { mode: 0o600 });
}
