import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mountsBelow } from './mounts.ts';

/**
 * What full clusters change of the machine outside their own folders, as it was before the first of them came; given
 * back when the last goes. It lies where a reboot forgets it, as a reboot undoes the changes.
 */
type Before = { readonly sysctls: Readonly<Record<string, string>>; readonly missingFolders: readonly string[] };

const MEMORY = '/run/arpeggio-machine.json';

/** Settings that we or a kubelet change, for the whole machine. */
const SYSCTLS = [
  'net/ipv4/ip_forward',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

/** Places a kubelet, containerd or runc make that cannot be moved; ours to remove only where they were not before. */
const FOLDERS = ['/var/lib/kubelet', '/var/log/containers', '/var/lib/cni', '/run/containerd'];

/** Remembers the machine as it is, unless a full cluster has already changed it. */
export function rememberMachine(): void {
  if (existsSync(MEMORY)) return;
  const known = SYSCTLS.filter((name) => existsSync(`/proc/sys/${name}`));
  const sysctls = Object.fromEntries(known.map((name) => [name, readFileSync(`/proc/sys/${name}`, 'utf8').trim()]));
  const before: Before = { sysctls, missingFolders: FOLDERS.filter((path) => !existsSync(path)) };
  mkdirSync('/run', { recursive: true });
  writeFileSync(MEMORY, JSON.stringify(before));
}

/** Gives the machine back as it was, unless another full cluster still needs it. */
export function restoreMachine(): void {
  const others = readdirSync('/run').filter((name) => /^arpeggio\d+$/.test(name));
  if (others.length > 0 || !existsSync(MEMORY)) return;
  const before = JSON.parse(readFileSync(MEMORY, 'utf8')) as Before;
  for (const [name, value] of Object.entries(before.sysctls)) {
    if (SYSCTLS.includes(name)) writeFileSync(`/proc/sys/${name}`, value);
  }
  for (const path of before.missingFolders) {
    if (FOLDERS.includes(path) && mountsBelow(path).length === 0) rmSync(path, { recursive: true, force: true });
  }
  rmSync(MEMORY);
}
