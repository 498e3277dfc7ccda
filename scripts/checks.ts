import { join } from 'node:path';
import { durationText, ROOT, runQuietly, type Command, type Outcome } from './command.ts';

const AT_ONCE = 2;
const REMIND_AFTER_MS = 10_000;

const bin = (name: string): string => join(ROOT, 'node_modules', '.bin', name);
const cache = (name: string): string => join('node_modules', '.cache', 'arpeggio', name);

const lint: Command = { name: 'lint', argv: ['node', bin('eslint'), '.', '--max-warnings', '0'] };
const types: Command = {
  name: 'types',
  argv: ['node', bin('tsc'), '--incremental', '--tsBuildInfoFile', cache('tsbuildinfo')],
};
const format: Command = {
  name: 'format',
  argv: [
    'node',
    bin('prettier'),
    '--check',
    '--cache',
    '--cache-location',
    cache('prettier'),
    '--log-level',
    'warn',
    '.',
  ],
};
const generated: Command = { name: 'generated files', argv: ['node', 'scripts/generate.ts', '--check'] };
const boundaries: Command = {
  name: 'boundaries',
  argv: ['node', bin('vitest'), 'run', '--project', 'unit', 'test/architecture.test.ts'],
};
const unit: Command = {
  name: 'unit tests',
  argv: ['node', bin('vitest'), 'run', '--project', 'unit', '--exclude', 'test/architecture.test.ts'],
};

/** What is read without running the product; the slowest first, so that two cores end together. */
export const staticChecks: readonly Command[] = [lint, types, format, generated];

/** All of `npm run check`. */
export const allChecks: readonly Command[] = [...staticChecks, unit, boundaries];

/**
 * Runs all, two at a time, a line for each as it ends, then the whole output of each that failed.
 * One failure stops nothing: all are shown.
 */
export async function runChecks(checks: readonly Command[]): Promise<Outcome[]> {
  console.log(`checking ${checks.map(({ name }) => name).join(', ')}`);
  const waiting = [...checks];
  const outcomes: Outcome[] = [];
  const running = new Set<string>();
  const reminder = setInterval(() => console.log(`  …    ${[...running].join(', ')}`), REMIND_AFTER_MS);
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      running.add(next.name);
      const outcome = await runQuietly(next);
      running.delete(next.name);
      outcomes.push(outcome);
      console.log(
        `  ${outcome.code === 0 ? 'ok  ' : 'FAIL'} ${outcome.name.padEnd(16)} ${durationText(outcome.durationMs)}`,
      );
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  clearInterval(reminder);
  for (const { name, code, output } of outcomes) {
    if (code !== 0) console.log(`\n── ${name} failed (exit code ${code}) ──\n${output.trimEnd()}`);
  }
  return outcomes;
}
