import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { durationText, runAloud } from './command.ts';
import type { SuiteName } from './suites.ts';

type Prerequisite = {
  readonly what: string;
  readonly neededBy: readonly SuiteName[];
  /** A command that succeeds where it is present. */
  readonly probe: readonly [string, ...string[]];
  readonly debianPackages: readonly string[];
};

const prerequisites: readonly Prerequisite[] = [
  {
    what: 'redis-server',
    neededBy: ['conformance', 'golden', 'scenarios', 'integration'],
    probe: ['redis-server', '--version'],
    debianPackages: ['redis-server'],
  },
  {
    what: 'Python 3 with venv',
    neededBy: ['golden', 'integration'],
    probe: ['python3', '-c', 'import venv, ensurepip'],
    debianPackages: ['python3', 'python3-venv'],
  },
];

/**
 * Installs what the suites need and the machine lacks, where that can be done without a question (root on Debian or
 * Ubuntu). Returns what is still missing, as sentences with the way out.
 */
export async function installPrerequisites(suites: readonly SuiteName[]): Promise<string[]> {
  const missing = prerequisites.filter(
    ({ neededBy, probe }) => neededBy.some((name) => suites.includes(name)) && !answers(probe),
  );
  if (missing.length === 0) return [];
  const packages = missing.flatMap(({ debianPackages }) => debianPackages);
  if (!mayInstall()) {
    return missing.map(
      ({ what, neededBy, debianPackages }) =>
        `${what} is missing (needed by ${neededBy.join(', ')}): install it (Debian: apt-get install ${debianPackages.join(' ')}) and run again`,
    );
  }
  console.log(`installing ${packages.join(', ')} with apt-get`);
  const apt = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  await runAloud({ name: 'apt-get update', argv: ['apt-get', 'update', '-qq'], env: apt });
  const { durationMs } = await runAloud({
    name: 'apt-get install',
    // Nothing that a package brings is started on the machine: the tests start what they use, on ports of their own.
    argv: [
      'sh',
      '-c',
      withoutServices(
        `apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends ${packages.join(' ')} >/dev/null`,
      ),
    ],
    env: apt,
  });
  const still = missing.filter(({ probe }) => !answers(probe));
  if (still.length === 0) console.log(`installed in ${durationText(durationMs)}`);
  return still.map(
    ({ what, debianPackages }) =>
      `${what} is still missing after apt-get install ${debianPackages.join(' ')}; see its message above`,
  );
}

function answers([program, ...args]: readonly [string, ...string[]]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/** Debian's own way to install a service without starting it; a policy that is there already stays. */
function withoutServices(command: string): string {
  const policy = '/usr/sbin/policy-rc.d';
  return `if [ -e ${policy} ]; then ${command}; else printf '#!/bin/sh\\nexit 101\\n' > ${policy} && chmod +x ${policy}; ${command}; code=$?; rm -f ${policy}; exit $code; fi`;
}
