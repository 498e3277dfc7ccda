import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { elementSchema } from '#core/resources/element.ts';
import { mapLeaves } from '#core/resources/map.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import { retrySchema } from '#core/resources/retry.ts';
import { summariseProblems } from '#core/resources/spec-problem.ts';
import { runFields } from '#core/resources/workflow.ts';

const page = readFileSync(new URL('../../../docs/workflows.md', import.meta.url), 'utf8');
const snippets = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);

/** Every key that stands somewhere in a value. */
function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return [...own, ...Object.values(value).flatMap(keysOf)];
}

describe('the page on writing workflows', () => {
  test('has snippets', () => {
    expect(snippets.length).toBeGreaterThan(12);
  });

  test.each(
    snippets.map((text, index) => ({ title: `${index + 1}: ${text.split('\n').slice(1, 3).join(' ').trim()}`, text })),
  )('snippet $title can be run', ({ text }) => {
    const { spec } = load(text) as { spec: unknown };
    const parsed = parseWorkflowSpec(spec);
    expect(parsed.ok ? '' : summariseProblems(parsed.error)).toBe('');
  });

  test('shows every field in use that a spec may have', () => {
    const used = new Set(snippets.flatMap((text) => keysOf(load(text))));
    const fields = [elementSchema.shape, mapLeaves, { each: 0 }, retrySchema.shape, runFields].flatMap((shape) =>
      Object.keys(shape),
    );
    // What is asked of a run that is there has a page of its own.
    const elsewhere = ['cancel', 'retryFailed'];
    expect(fields.filter((field) => !used.has(field) && !elsewhere.includes(field))).toEqual([]);
  });
});
