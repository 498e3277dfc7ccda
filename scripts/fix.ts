import { join } from 'node:path';
import { durationText, ROOT, runAloud, type Command } from './command.ts';

const bin = (name: string): string => join(ROOT, 'node_modules', '.bin', name);

const steps: readonly Command[] = [
  { name: 'generated files', argv: ['node', 'scripts/generate.ts'] },
  { name: 'lint', argv: ['node', bin('eslint'), '.', '--fix'] },
  { name: 'format', argv: ['node', bin('prettier'), '--write', '--log-level', 'warn', '.'] },
];

let failed = 0;
for (const step of steps) {
  console.log(`fixing ${step.name}`);
  const { code, durationMs } = await runAloud(step);
  if (code !== 0) failed += 1;
  console.log(`  ${code === 0 ? 'ok  ' : 'left'} ${step.name.padEnd(16)} ${durationText(durationMs)}`);
}
process.exitCode = failed === 0 ? 0 : 1;
