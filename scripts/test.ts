import { durationText, endOnSignals } from './command.ts';
import { installPrerequisites } from './prerequisites.ts';
import { makeProvisions } from './provisions.ts';
import { hasTests, runSuite, SUITES, type SuiteName, type SuiteResult } from './suites.ts';
import { sumOf } from './tally.ts';

function chosenSuites(words: readonly string[]): readonly SuiteName[] {
  const unknown = words.filter((word) => !(SUITES as readonly string[]).includes(word));
  if (unknown.length > 0) {
    console.error(`no suite is called ${unknown.join(', ')}; there are: ${SUITES.join(', ')}`);
    process.exit(2);
  }
  return words.length === 0 ? SUITES : SUITES.filter((name) => words.includes(name));
}

function show({ name, passed, failed, skipped, durationMs }: SuiteResult): string {
  const mark = failed === 0 ? 'ok  ' : 'FAIL';
  const counts = `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
  return `  ${mark} ${name.padEnd(12)} ${durationText(durationMs).padStart(12)}   ${counts}`;
}

endOnSignals();
const started = performance.now();
const chosen = chosenSuites(process.argv.slice(2));
const empty = chosen.filter((name) => !hasTests(name));
const suites = chosen.filter((name) => hasTests(name));
console.log(`testing ${suites.join(', ')}${empty.length === 0 ? '' : ` (no tests yet: ${empty.join(', ')})`}`);

const missing = await installPrerequisites(suites);
for (const sentence of missing) console.error(`FAIL ${sentence}`);
await makeProvisions(suites);

const results: SuiteResult[] = [];
for (const [index, name] of suites.entries()) {
  console.log(`\n══ ${name} (${index + 1} of ${suites.length}) ══`);
  const result = await runSuite(name);
  results.push(result);
  console.log(show(result));
}

const sum = sumOf([...results, { passed: 0, failed: missing.length, skipped: 0 }]);
console.log(`\nin ${durationText(performance.now() - started)}${sum.skipped === 0 ? '' : `, ${sum.skipped} skipped`}`);
for (const result of results) console.log(show(result));
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed === 0 && sum.passed > 0 ? 0 : 1;
