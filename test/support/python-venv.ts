import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempted } from '../cluster/attempts.ts';
import { cacheFolder } from '../cluster/folders.ts';
import { withLock } from '../cluster/lock.ts';

const BUILD_WITHIN_MS = 5 * 60_000;

/**
 * The `python` of a virtual environment that holds these packages, in the cache folder: made at the first call, under a
 * lock, and found by every later one. Name each package with its version, or the environment is whatever it was that day.
 */
export async function pythonWith(requirements: readonly string[]): Promise<string> {
  const key = createHash('sha256')
    .update([pythonVersion(), ...requirements].join('\n'))
    .digest('hex')
    .slice(0, 12);
  const folder = join(cacheFolder(), `venv-${key}`);
  const python = join(folder, 'bin', 'python');
  const whole = join(folder, 'whole');
  if (existsSync(whole)) return python;
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(whole)) return;
    // What an interrupted build left behind.
    rmSync(folder, { recursive: true, force: true });
    console.error(`making a Python environment with ${requirements.join(', ')}`);
    run('python3', ['-m', 'venv', folder]);
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements];
    await attempted('pip install', () => Promise.resolve().then(() => run(python, install)));
    writeFileSync(whole, `${requirements.join('\n')}\n`);
  });
  return python;
}

function pythonVersion(): string {
  return run('python3', ['-c', 'import sys; print(sys.executable, sys.version)']);
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: BUILD_WITHIN_MS });
  if (status === 0) return stdout.trim();
  const said = error?.message ?? `it ended with ${String(status)}: ${stderr.slice(-800)}`;
  const way =
    'Python 3 with venv is needed (Debian: apt-get install python3-venv), and a package index to install from';
  throw new Error(`${program} ${args.join(' ')} failed: ${said}. ${way}`);
}
