import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What must be known to take a cluster down. Written before the first thing is made, so that what a crash left
 * half-made is found.
 */
export type ClusterState = {
  readonly level: 'api' | 'full';
  /** Which of the machine's places for a full cluster it has: names of interfaces, namespaces, cgroups, addresses. */
  readonly slot?: number;
};

export function readState(folder: string): ClusterState | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) as ClusterState;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, also when the machine stops in the middle. */
export function writeState(folder: string, state: ClusterState): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const path = join(folder, 'state.json');
  writeFileSync(`${path}.part`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${path}.part`, path);
}
