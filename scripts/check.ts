import { allChecks, runChecks } from './checks.ts';
import { durationText, endOnSignals } from './command.ts';

endOnSignals();
const started = performance.now();
const outcomes = await runChecks(allChecks);
const failed = outcomes.filter(({ code }) => code !== 0);
const took = durationText(performance.now() - started);
const advice = failed.some(({ name }) => name === 'format' || name === 'lint')
  ? '; npm run fix mends what can be mended'
  : '';
console.log(
  failed.length === 0
    ? `\nall ${outcomes.length} checks passed in ${took}`
    : `\n${failed.length} of ${outcomes.length} checks failed in ${took}${advice}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
