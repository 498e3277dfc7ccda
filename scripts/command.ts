import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

export type Command = {
  /** What a person calls it, as shown beside its duration. */
  readonly name: string;
  /** Program and arguments; `node` is the project's own. */
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
};

export type Outcome = {
  readonly name: string;
  readonly code: number;
  readonly durationMs: number;
  /** What it wrote, both streams in order; empty when it wrote straight to our own. */
  readonly output: string;
};

/** Runs a command with closed stdin and keeps what it writes. A program that cannot be started is an outcome, too. */
export function runQuietly(command: Command): Promise<Outcome> {
  return run(command, 'pipe');
}

/** Runs a command with closed stdin that writes to our own output while it runs. */
export function runAloud(command: Command): Promise<Outcome> {
  return run(command, 'inherit');
}

function run({ name, argv, env }: Command, output: 'pipe' | 'inherit'): Promise<Outcome> {
  const [program, ...args] = argv;
  const started = performance.now();
  const child = spawn(program === 'node' ? process.execPath : program, args, {
    cwd: ROOT,
    env: { ...process.env, ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }), ...env },
    stdio: ['ignore', output, output],
  });
  const end = (): void => void child.kill('SIGTERM');
  process.once('exit', end);
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    const finish = (code: number, extra = ''): void => {
      const durationMs = Math.round(performance.now() - started);
      resolve({ name, code, durationMs, output: Buffer.concat(chunks).toString() + extra });
    };
    child.once('error', (error) => finish(127, `${program} could not be started: ${error.message}\n`));
    child.once('close', (code) => {
      process.removeListener('exit', end);
      finish(code ?? 1);
    });
  });
}

/** On a signal this process ends, and what it runs with it. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
}

/** `850` → `0.9 s`, `125000` → `2 min 05 s`. */
export function durationText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}
