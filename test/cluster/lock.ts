import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf } from './processes.ts';
import { say } from './progress.ts';

const LOOK_AGAIN_MS = 200;

/** Runs `work` while no other process of this machine runs one under the same path. A dead holder's lock is taken over. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  await acquire(path);
  try {
    return await work();
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

async function acquire(path: string): Promise<void> {
  let told = false;
  while (!take(path)) {
    const holder = holderOf(path);
    if (holder !== undefined && identityOf(Number.parseInt(holder, 10)) !== holder) {
      rmSync(path, { recursive: true, force: true });
      continue;
    }
    if (!told) say(`waiting for process ${holder?.split(' ')[0] ?? '(starting)'}, which holds ${path}`);
    told = true;
    await sleep(LOOK_AGAIN_MS);
  }
}

function take(path: string): boolean {
  try {
    mkdirSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(join(path, 'holder'), identityOf(process.pid) ?? '');
  return true;
}

/** Undefined in the moment between taking the lock and saying who did. */
function holderOf(path: string): string | undefined {
  try {
    const holder = readFileSync(join(path, 'holder'), 'utf8');
    return holder === '' ? undefined : holder;
  } catch {
    return undefined;
  }
}
