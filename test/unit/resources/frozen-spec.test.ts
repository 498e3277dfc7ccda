import { describe, expect, test } from 'vitest';
import { buildFrozenSpecExpression } from '#core/resources/frozen-spec.ts';
import { frozenSpecKeys } from '#core/resources/workflow.ts';
import { buildGeneratedFiles } from '../../../scripts/generated/files.ts';

describe('the expression that freezes a spec', () => {
  test('lets nothing change while no key is mutable', () => {
    expect(buildFrozenSpecExpression()).toBe(
      'object.spec.all(k, k in [] || (k in oldObject.spec && object.spec[k] == oldObject.spec[k])) && ' +
        'oldObject.spec.all(k, k in [] || k in object.spec)',
    );
  });

  test('names the keys that may change', () => {
    expect(buildFrozenSpecExpression(['suspend', 'cancel'])).toContain("k in ['suspend', 'cancel'] || ");
  });

  test('stands in the chart as it is', () => {
    const chart = buildGeneratedFiles().get('charts/arpeggio/templates/_generated.tpl');
    expect(chart).toContain(buildFrozenSpecExpression());
  });

  test('covers every key that a spec has', () => {
    expect([...frozenSpecKeys].sort()).toEqual([
      'args',
      'chain',
      'chord',
      'defaultQueue',
      'finally',
      'group',
      'immutable',
      'kwargs',
      'link',
      'linkError',
      'queue',
      'task',
    ]);
  });
});
