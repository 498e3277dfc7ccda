import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '#cli/exit-code.ts';
import { usages } from '#cli/usage.ts';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('the pages about work without a cluster', () => {
  test('show as an example a test that runs', () => {
    const [, example] = /```ts\n([\s\S]*?)```/.exec(read('docs/testing.md')) ?? [];
    expect(example).toBe(read('examples/ml-pipeline/workflow.test.ts'));
  });

  test.each(['run', 'check'] as const)('tell every option of %s that its help tells', (command) => {
    const options = [...usages[command].matchAll(/--[a-z-]+/g)].map(([option]) => option);
    expect(options.length).toBeGreaterThan(3);
    expect(options.filter((option) => !read('docs/local.md').includes(option))).toEqual([]);
  });

  test('tell every exit code', () => {
    const told = [...read('docs/local.md').matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(told).toEqual(Object.values(exitCodes));
  });

  test('and so does the help', () => {
    for (const code of Object.values(exitCodes)) expect(usages.run).toMatch(new RegExp(`\\b${code} `));
  });
});
