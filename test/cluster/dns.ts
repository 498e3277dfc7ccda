import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeKubeconfig, type CertificateRequest } from './certificates.ts';
import type { ControlPlane } from './control-plane.ts';
import type { ClusterParts } from './cluster-parts.ts';

export const DNS_CERTIFICATE: CertificateRequest = { name: 'coredns', commonName: 'system:coredns' };

/** Starts CoreDNS at the address that pods ask: names of Services from the API server, all others from the machine's resolver. */
export async function startDns({ launcher, binary, slot, controlPlane }: ClusterParts): Promise<void> {
  await allowToRead(controlPlane);
  const kubeconfig = join(launcher.folder, 'coredns.kubeconfig');
  await writeKubeconfig(kubeconfig, controlPlane.pki, controlPlane.server, { certificate: 'coredns' });
  const upstream = existsSync('/run/systemd/resolve/resolv.conf')
    ? '/run/systemd/resolve/resolv.conf'
    : '/etc/resolv.conf';
  const corefile = join(launcher.folder, 'Corefile');
  await writeFile(
    corefile,
    `.:53 {
  bind ${slot.dnsAddress}
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfig}
    pods insecure
    fallthrough in-addr.arpa
    ttl 5
  }
  forward . ${upstream}
  cache 5
}
`,
  );
  launcher.launch({ name: 'coredns', command: binary, args: ['coredns', '-conf', corefile], network: slot.network });
}

async function allowToRead({ api }: ControlPlane): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const conflict = [409];
  const rules = [
    { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ];
  await api.expect('POST', `${rbac}/clusterroles`, { metadata: { name: 'system:coredns' }, rules }, conflict);
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:coredns' }];
  await api.expect(
    'POST',
    `${rbac}/clusterrolebindings`,
    { metadata: { name: 'system:coredns' }, roleRef, subjects },
    conflict,
  );
}
