import { spawnSync } from 'node:child_process';
import { installPackages } from '../test/cluster/packages.ts';
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
  let failure = '';
  await installPackages(missing.flatMap(({ debianPackages }) => debianPackages)).catch((error: unknown) => {
    failure = error instanceof Error ? error.message : String(error);
  });
  return missing
    .filter(({ probe }) => !answers(probe))
    .map(({ what, neededBy, debianPackages }) => {
      const way = `install it (Debian: apt-get install ${debianPackages.join(' ')}) and run again`;
      return `${what} is missing (needed by ${neededBy.join(', ')}): ${way}. ${failure}`.trimEnd();
    });
}

function answers([program, ...args]: readonly [string, ...string[]]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}
