import { existsSync } from 'node:fs';
import { attempted } from './attempts.ts';
import { findProgram, runCommand } from './command.ts';
import { say, withProgress } from './progress.ts';

/** Programs the full level needs, and the Debian and Ubuntu package each is in. */
const NEEDED: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  runc: 'runc',
  buildah: 'buildah',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  nsenter: 'util-linux',
  mount: 'mount',
};

const CNI_PLACES = ['/usr/lib/cni/ptp', '/opt/cni/bin/ptp', '/usr/libexec/cni/ptp'];

/** Installs with apt what is missing of what the full level needs, and says so; rejects where there is no apt. */
export async function installForFullLevel(): Promise<void> {
  const missing = Object.entries(NEEDED).filter(([program]) => findProgram(program) === undefined);
  const packages = missing.map(([, name]) => name);
  if (!CNI_PLACES.some((path) => existsSync(path))) packages.push('containernetworking-plugins');
  await installPackages(packages);
}

/** Installs these Debian or Ubuntu packages; none is fine. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  if (packages.length === 0) return;
  const names = packages.join(' ');
  if (findProgram('apt-get') === undefined) {
    throw new Error(`missing: ${names} (Debian's names), and there is no apt-get here; install them and run again`);
  }
  if (process.getuid?.() !== 0) throw new Error(`missing: ${names}; run 'sudo apt-get install ${names}' and try again`);
  say(`installing with apt-get: ${names}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const apt = 'apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3';
  const install = async (): Promise<void> => {
    await runCommand('sh', ['-c', `${apt} update`], { env });
    await runCommand('sh', ['-c', withoutServices(`${apt} install -y --no-install-recommends ${names}`)], { env });
  };
  // Indexes and packages change beneath a reader: the next attempt reads the indexes anew.
  await withProgress('apt-get', () => attempted('apt-get', install));
}

/** Debian's own way to install a service without starting it; a policy that is there already stays. */
function withoutServices(command: string): string {
  const policy = '/usr/sbin/policy-rc.d';
  return `if [ -e ${policy} ]; then ${command}; else printf '#!/bin/sh\\nexit 101\\n' > ${policy} && chmod +x ${policy}; ${command}; code=$?; rm -f ${policy}; exit $code; fi`;
}
