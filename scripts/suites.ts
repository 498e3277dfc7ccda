import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecks, staticChecks } from './checks.ts';
import { ROOT, runAloud } from './command.ts';
import { tallyOf, type Tally, type VitestReport } from './tally.ts';

/** What `npm test` runs, in this order: what is quick and tells most comes first. */
export const SUITES = [
  'static',
  'unit',
  'conformance',
  'golden',
  'scenarios',
  'simulation',
  'integration',
  'cluster',
] as const;

export type SuiteName = (typeof SUITES)[number];
export type SuiteResult = Tally & { readonly name: SuiteName; readonly durationMs: number };

/** Runs one suite, showing its own output as it comes. */
export async function runSuite(name: SuiteName): Promise<SuiteResult> {
  return name === 'static' ? runStatic() : runVitest(name);
}

/** Has this suite anything in it? */
export function hasTests(name: SuiteName): boolean {
  if (name === 'static') return true;
  const folder = join(ROOT, 'test', name);
  return (
    existsSync(folder) &&
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).some((path) => path.endsWith('.test.ts'))
  );
}

/** Each check that reads without running counts as one test. */
async function runStatic(): Promise<SuiteResult> {
  const started = performance.now();
  const outcomes = await runChecks(staticChecks);
  const failed = outcomes.filter(({ code }) => code !== 0).length;
  const durationMs = Math.round(performance.now() - started);
  return { name: 'static', passed: outcomes.length - failed, failed, skipped: 0, durationMs };
}

async function runVitest(name: SuiteName): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'arpeggio-test-'));
  const reportFile = join(folder, 'report.json');
  const vitest = join(ROOT, 'node_modules', '.bin', 'vitest');
  try {
    const { code, durationMs } = await runAloud({
      name,
      argv: [
        'node',
        vitest,
        'run',
        '--project',
        name,
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${reportFile}`,
      ],
    });
    return { name, ...tallyOf(readReport(reportFile), code), durationMs };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(path: string): VitestReport | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as VitestReport) : undefined;
}
