import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { endApiLevel, startApiLevel } from './api-level.ts';
import { controlPlaneBinary } from './binary.ts';
import { openCluster } from './cluster.ts';
import { clusterFolder } from './folders.ts';
import { FAKE_NODES } from './kwok.ts';
import { loadableOf, loadIntoCluster } from './load.ts';
import { withLock } from './lock.ts';
import { detachedLauncher } from './processes.ts';
import { say, withProgress } from './progress.ts';
import { writeState } from './state.ts';
import { describeCluster } from './status.ts';
import { endFullLevel } from './teardown.ts';

const USAGE = `usage: npm run cluster -- <command>
  up [--level full|api]   full (default): two real nodes, needs root; api: an API server over nodes that do not exist
  down                    ends it and removes all it made
  status                  nodes, parts and what to do next
  kubeconfig              prints the path of the administrator's kubeconfig
  load ARCHIVE            puts the images of a docker or OCI archive into every node (docker save NAME:TAG -o ARCHIVE)
  load FOLDER NAME:TAG    builds the Dockerfile of a folder, without docker, and puts that image into every node`;

async function up(folder: string, level: string): Promise<void> {
  const before = await describeCluster(folder);
  if (before.isWhole && before.text.startsWith(`level ${level},`)) {
    say('already up');
  } else if (level === 'api') {
    await upApiLevel(folder);
  } else {
    await openCluster(folder);
  }
  console.log((await describeCluster(folder)).text);
}

async function upApiLevel(folder: string): Promise<void> {
  const binary = await controlPlaneBinary();
  await withLock(`${folder}.lock`, async () => {
    await endAnyLevel(folder);
    writeState(folder, { level: 'api' });
    const started = await withProgress('starting the API server', () =>
      startApiLevel(binary, detachedLauncher(folder), FAKE_NODES),
    );
    started.api.close();
  });
}

async function down(folder: string): Promise<void> {
  const wasThere = existsSync(folder);
  await withLock(`${folder}.lock`, () => withProgress('taking the cluster down', () => endAnyLevel(folder)));
  say(
    wasThere
      ? `down; nothing of it is left. Built images and programs stay in the cache for the next time`
      : 'no cluster was up',
  );
}

/** A full cluster may be removed by root alone; an api level cluster by whoever started it. */
async function endAnyLevel(folder: string): Promise<void> {
  if (process.getuid?.() === 0) return endFullLevel(folder);
  await endApiLevel(folder);
  await rm(folder, { recursive: true, force: true });
}

function kubeconfig(folder: string): void {
  if (process.env['ARPEGGIO_CLUSTER'] === 'existing')
    throw new Error('ARPEGGIO_CLUSTER=existing: the kubeconfig is your own');
  const path = join(folder, 'kubeconfig');
  if (!existsSync(path)) throw new Error("no cluster is up; 'npm run cluster -- up' starts one");
  console.log(path);
}

async function load(folder: string, args: readonly string[]): Promise<void> {
  const names = await loadIntoCluster(folder, loadableOf(args, process.env['INIT_CWD']));
  console.log(names.length === 0 ? 'loaded' : names.map((name) => `image: ${name}`).join('\n'));
}

async function status(folder: string): Promise<void> {
  const { text, isWhole } = await describeCluster(folder);
  console.log(text);
  if (!isWhole) process.exitCode = 1;
}

async function main(args: readonly string[]): Promise<void> {
  const [command = 'help', ...rest] = args;
  const folder = clusterFolder();
  if (command === 'up') return up(folder, levelOf(rest));
  if (command === 'load') return load(folder, rest);
  if (rest.length > 0) throw new Error(`${command} takes no arguments, got ${rest.join(' ')}\n${USAGE}`);
  if (command === 'down') return down(folder);
  if (command === 'status') return status(folder);
  if (command === 'kubeconfig') {
    kubeconfig(folder);
    return;
  }
  if (command !== 'help' && command !== '--help') throw new Error(`unknown command ${command}\n${USAGE}`);
  console.log(USAGE);
}

function levelOf(args: readonly string[]): 'full' | 'api' {
  const level =
    args[0] === '--level'
      ? args[1]
      : (/^--level=(.*)$/.exec(args[0] ?? '')?.[1] ?? (args.length === 0 ? 'full' : undefined));
  if (level === 'full' || level === 'api') return level;
  throw new Error(`up takes --level full or --level api, got ${args.join(' ')}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
