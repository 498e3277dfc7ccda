import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';

const KEPT_CHARACTERS = 4000;

export type BoundProcessOptions = {
  readonly cwd?: string;
  /** On top of our own environment. */
  readonly env?: Readonly<Record<string, string>>;
};

/** A child that cannot outlive us. */
export type BoundProcess = {
  readonly pid: number;
  readonly child: ChildProcess;
  /** The last of what it wrote, both streams in order. */
  output(): string;
  /** Asks it to end; what has not within `graceMs` is killed together with its own children. */
  stop(graceMs?: number): Promise<void>;
};

/** Starts a program. The kernel ends it when its parent dies, however it dies; where that cannot be had, an exit handler does. */
export function startBoundProcess(
  argv: readonly [string, ...string[]],
  options: BoundProcessOptions = {},
): BoundProcess {
  const binding = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL'] : [];
  const [program = '', ...args] = [...binding, ...argv];
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(program, args, {
    // A group of its own, so that its children end with it.
    detached: true,
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-KEPT_CHARACTERS);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(`${argv[0]} could not be started: ${error.message}\n`)));
  const onExit = (): void => killGroup(child);
  process.once('exit', onExit);
  child.once('exit', () => process.removeListener('exit', onExit));
  return { pid: child.pid ?? -1, child, output: () => text, stop: (graceMs = 10_000) => stop(child, graceMs) };
}

async function stop(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => killGroup(child), graceMs);
  await gone;
  clearTimeout(timer);
  killGroup(child);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The whole group has ended.
  }
}
