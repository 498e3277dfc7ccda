import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from './command.ts';

/** Every process we start carries this variable with its cluster's folder: that, and nothing else, makes it ours. */
const MARK = 'ARPEGGIO_CLUSTER_PROCESS';

export type Launch = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The network namespace to run in, by name; default: the machine's own. */
  readonly network?: string | undefined;
};

export type OurProcess = { readonly pid: number; readonly name: string };

/** Starts processes of one cluster, logs to `<folder>/logs/<name>.log`. */
export type Launcher = {
  readonly folder: string;
  /** Starts it and returns its process id at once; whether it lives is for the caller to see. */
  launch(what: Launch): number;
};

/** Its processes live on when the caller ends. */
export function detachedLauncher(folder: string): Launcher {
  return { folder, launch: (what) => start(folder, what, []) };
}

/** Its processes die with the caller, however the caller dies. */
export function boundLauncher(folder: string): Launcher {
  const setpriv = findProgram('setpriv');
  const binding = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL'];
  return { folder, launch: (what) => start(folder, what, binding) };
}

function start(folder: string, what: Launch, binding: readonly string[]): number {
  const logPath = logOf(folder, what.name);
  mkdirSync(dirname(logPath), { recursive: true });
  const network = what.network === undefined ? [] : ['nsenter', `--net=/run/netns/${what.network}`, '--'];
  const [command = '', ...args] = [...binding, ...network, what.command, ...what.args];
  const log = openSync(logPath, 'a');
  try {
    const child = spawn(command, args, {
      detached: true,
      cwd: folder,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...what.env, [MARK]: `${folder}#${what.name}` },
    });
    // Whoever waits for it to answer sees that it does not; an unheard error would end the whole script.
    child.on('error', () => undefined);
    child.unref();
    return child.pid ?? -1;
  } finally {
    closeSync(log);
  }
}

function logOf(folder: string, name: string): string {
  return join(folder, 'logs', `${name}.log`);
}

/** The living processes that carry the mark of this folder, whoever started them and however they got there. */
export function ourProcesses(folder: string): OurProcess[] {
  const mark = `${MARK}=${folder}#`;
  const found: OurProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const name = variableOf(entry, mark);
    if (name !== undefined && Number(entry) !== process.pid)
      found.push({ pid: Number(entry), name: nameOf(entry, name) });
  }
  return found;
}

function variableOf(pid: string, start: string): string | undefined {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    return variables.find((variable) => variable.startsWith(start))?.slice(start.length);
  } catch {
    return undefined; // It ended, or it is someone else's.
  }
}

/** A container's shim inherits the mark of the containerd that started it; its program tells them apart. */
function nameOf(pid: string, marked: string): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`).includes('containerd-shim') ? `${marked}-shim` : marked;
  } catch {
    return marked;
  }
}

/** Asks each to end, then ends those that have not within `graceMs`, and returns when all are gone. */
export async function endProcesses(pids: readonly number[], graceMs: number): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGTERM');
  if (await goneWithin(pids, graceMs)) return;
  for (const pid of pids) signal(pid, 'SIGKILL');
  if (!(await goneWithin(pids, 60_000)))
    throw new Error(`processes ${pids.filter(isRunning).join(', ')} do not end even by SIGKILL`);
}

async function goneWithin(pids: readonly number[], withinMs: number): Promise<boolean> {
  const endMs = Date.now() + withinMs;
  while (pids.some(isRunning)) {
    if (Date.now() >= endMs) return false;
    await sleep(20);
  }
  return true;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already gone.
  }
}

/** A zombie has ended: it only waits for its parent to look. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

/** Tells a process from a later one of the same number, also after a reboot; undefined when there is none. */
export function identityOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const startedAtTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    return `${pid} ${startedAtTicks} ${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}`;
  } catch {
    return undefined;
  }
}

/** The last lines of a part's log, for the message that says why it did not come up. */
export function tailOf(folder: string, name: string, lines = 12): string {
  try {
    return readFileSync(logOf(folder, name), 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(it wrote no log)';
  }
}
