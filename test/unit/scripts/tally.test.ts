import { describe, expect, test } from 'vitest';
import { sumOf, tallyOf, type VitestReport } from '../../../scripts/tally.ts';

function report(statuses: string[], files: VitestReport['testResults'] = []): VitestReport {
  const count = (status: string): number => statuses.filter((one) => one === status).length;
  return {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('pending'),
    numTodoTests: count('todo'),
    testResults: files,
  };
}
const failedTest = { status: 'failed', assertionResults: [{ status: 'failed' }] };
const brokenFile = { status: 'failed', assertionResults: [] };
const failedHook = { status: 'failed', assertionResults: [{ status: 'passed' }] };

describe('the tally of a suite', () => {
  test.each([
    { why: 'counts passed tests', report: report(['passed', 'passed']), code: 0, want: [2, 0, 0] },
    { why: 'counts a failed test once', report: report(['passed', 'failed'], [failedTest]), code: 1, want: [1, 1, 0] },
    { why: 'counts a file that did not load', report: report(['passed'], [brokenFile]), code: 1, want: [1, 1, 0] },
    { why: 'counts a file whose hook threw', report: report(['passed'], [failedHook]), code: 1, want: [1, 1, 0] },
    { why: 'never calls a failing run clean', report: report(['passed']), code: 1, want: [1, 1, 0] },
    { why: 'counts a run without report as failed', report: undefined, code: 0, want: [0, 1, 0] },
    { why: 'does not hide what was skipped', report: report(['pending', 'todo']), code: 0, want: [0, 0, 2] },
  ])('$why', ({ report: seen, code, want }) => {
    const { passed, failed, skipped } = tallyOf(seen, code);
    expect([passed, failed, skipped]).toEqual(want);
  });

  test('sums', () => {
    const one = { passed: 1, failed: 2, skipped: 3 };
    expect(sumOf([one, one])).toEqual({ passed: 2, failed: 4, skipped: 6 });
    expect(sumOf([])).toEqual({ passed: 0, failed: 0, skipped: 0 });
  });
});
