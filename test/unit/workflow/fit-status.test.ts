import { describe, expect, test } from 'vitest';
import { limits } from '#core/base/limits.ts';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import { fitStatus } from '#core/workflow/fit-status.ts';

const long = 'ü'.repeat(500);
const steps = Array.from({ length: 100 }, (_, id) => ({ id, path: long, task: long, state: 'Waiting' }));
const failures = Array.from({ length: 20 }, (_, step) => ({ step, path: long, type: 'ValueError', message: long }));
const sizeOf = (status: WorkflowStatus): number => Buffer.byteLength(JSON.stringify(status));

describe('a status', () => {
  test('stays as it is while it is small', () => {
    const status: WorkflowStatus = { state: 'Running', steps: steps.slice(0, 3), failures };
    expect(fitStatus(status)).toBe(status);
  });

  test('loses steps before failures, in their order, and nothing else', () => {
    const checkpoint = 'x'.repeat(8 * 1024);
    const status: WorkflowStatus = { state: 'Failed', done: 7, steps, failures, checkpoint };
    expect(sizeOf(status)).toBeGreaterThan(limits.statusBytes);
    const fitting = fitStatus(status);
    expect(sizeOf(fitting)).toBeLessThanOrEqual(limits.statusBytes);
    expect(fitting).toEqual({ ...status, steps: steps.slice(0, 6) });
  });

  test('fits however much has gone wrong', () => {
    const widest = 'ü'.repeat(4_000);
    const status: WorkflowStatus = { failures: failures.map((each) => ({ ...each, message: widest })), steps };
    const fitting = fitStatus(status);
    expect(sizeOf(fitting)).toBeLessThanOrEqual(limits.statusBytes);
    expect(fitting.failures?.length).toBeGreaterThan(0);
  });
});
