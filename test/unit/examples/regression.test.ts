import { describe, expect, test } from 'vitest';
import { fit, parseRows, predict, score, standardise } from '../../../examples/ml-pipeline/regression.ts';

describe('the linear regression of the ML pipeline', () => {
  test.each([
    { why: 'reads numbers, the last being the target', text: '1,2,3\n4,5,6\n', rows: 2, dropped: 0 },
    { why: 'drops a line with a word in it', text: '1,2,3\nn/a,5,6\n', rows: 1, dropped: 1 },
    { why: 'drops a line with a field left out', text: '1,,3\n', rows: 0, dropped: 1 },
    { why: 'reads nothing from nothing', text: '', rows: 0, dropped: 0 },
  ])('$why', ({ text, rows, dropped }) => {
    const parsed = parseRows(text);
    expect([parsed.rows.length, parsed.dropped]).toEqual([rows, dropped]);
  });

  test('finds the line that the points lie on', () => {
    const rows = Array.from({ length: 20 }, (_, x) => ({ features: [x], target: 3 * x + 2 }));
    const model = fit(standardise(rows), 500);
    expect(score(model, standardise(rows)).r2).toBeCloseTo(1, 6);
    expect(predict(model, standardise(rows)[7]?.features ?? [])).toBeCloseTo(23, 2);
  });

  test('without training it explains nothing', () => {
    const rows = standardise(Array.from({ length: 20 }, (_, x) => ({ features: [x], target: 3 * x + 2 })));
    expect(score(fit(rows, 0), rows).r2).toBeLessThanOrEqual(0);
  });
});
