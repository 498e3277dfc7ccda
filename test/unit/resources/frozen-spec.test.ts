import { describe, expect, test } from 'vitest';
import { buildFrozenSpecExpression } from '#core/resources/frozen-spec.ts';
import { frozenSpecKeys, mutableSpecKeys } from '#core/resources/workflow.ts';
import { buildGeneratedFiles } from '../../../scripts/generated/files.ts';

describe('the expression that freezes a spec', () => {
  test('lets nothing change but what may', () => {
    expect(buildFrozenSpecExpression(['suspend', 'cancel'])).toBe(
      "object.spec.all(k, k in ['suspend', 'cancel'] || (k in oldObject.spec && object.spec[k] == oldObject.spec[k])) && " +
        "oldObject.spec.all(k, k in ['suspend', 'cancel'] || k in object.spec)",
    );
  });

  test('knows the keys that may change', () => {
    expect(mutableSpecKeys).toEqual(['suspend', 'cancel', 'retryFailed', 'deadline', 'ttlAfterFinished']);
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
      'countdown',
      'defaultQueue',
      'eta',
      'expires',
      'finally',
      'group',
      'immutable',
      'kwargs',
      'link',
      'linkError',
      'map',
      'maxParallel',
      'priority',
      'queue',
      'retry',
      'showResult',
      'softTimeLimit',
      'task',
      'timeLimit',
      'waitLimit',
    ]);
  });
});
