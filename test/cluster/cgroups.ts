import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './kube-api.ts';
import { endProcesses } from './processes.ts';

const ROOT = '/sys/fs/cgroup';

/** Makes a cgroup in each hierarchy (version 1) or in the only one (version 2), with all controllers in it. */
export function makeCgroup(path: string): void {
  if (isUnified()) makeUnified(path);
  else for (const hierarchy of hierarchies()) makeIn(hierarchy, path);
}

/** Ends every process below this cgroup of ours and removes it. */
export async function removeCgroup(path: string): Promise<void> {
  const folders = (isUnified() ? [ROOT] : hierarchies())
    .map((hierarchy) => join(hierarchy, path))
    .filter((folder) => existsSync(folder));
  const pids = new Set(folders.flatMap((folder) => below(folder)).flatMap((folder) => processesOf(folder)));
  await endProcesses([...pids], 0);
  await until(`the cgroup ${path} is removed`, 120_000, () => {
    for (const folder of folders) for (const child of below(folder).reverse()) rmdirSync(child);
    return Promise.resolve(true);
  });
}

function isUnified(): boolean {
  return existsSync(join(ROOT, 'cgroup.controllers'));
}

/** With version 1 there may be one of version 2 beside them, which runc uses as well. */
function hierarchies(): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n');
  return mounts.filter((line) => / - cgroup2? /.test(line)).map((line) => line.split(' ')[4] ?? '');
}

function makeIn(hierarchy: string, path: string): void {
  let folder = hierarchy;
  for (const part of path.split('/')) {
    const parent = folder;
    folder = join(folder, part);
    mkdirSync(folder, { recursive: true });
    // A new cpuset is empty, and no process may enter an empty one.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (existsSync(join(folder, file))) writeFileSync(join(folder, file), readFileSync(join(parent, file)));
    }
  }
}

function makeUnified(path: string): void {
  let folder = ROOT;
  for (const part of path.split('/')) {
    for (const controller of readFileSync(join(folder, 'cgroup.controllers'), 'utf8').trim().split(' ')) {
      enable(folder, controller);
    }
    folder = join(folder, part);
    mkdirSync(folder, { recursive: true });
  }
}

function enable(folder: string, controller: string): void {
  try {
    writeFileSync(join(folder, 'cgroup.subtree_control'), `+${controller}`);
  } catch {
    // Some controllers cannot be given on (real-time processes hold cpu); the kubelet names the one it misses.
  }
}

/** This folder and all below it, parents first. */
function below(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [folder, ...children.flatMap((child) => below(join(folder, child.name)))];
}

function processesOf(folder: string): number[] {
  try {
    return readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
