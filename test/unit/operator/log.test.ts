import { describe, expect, test } from 'vitest';
import { describeError } from '#operator/log.ts';

describe('an error in the log', () => {
  test('does not tell the command that failed, nor its arguments', () => {
    const error = Object.assign(new Error('WRONGPASS invalid password'), { command: { name: 'auth', args: ['hush'] } });
    expect(JSON.stringify(describeError(error))).not.toContain('hush');
  });

  test('does not tell the value that the API server refused', () => {
    const error = new Error('Workflow "w" is invalid: status.result: Invalid value: "my salary": too long');
    expect(describeError(error).message).toBe('Workflow "w" is invalid: status.result: Invalid value: (not shown)');
    expect(JSON.stringify(describeError(error))).not.toContain('salary');
  });

  test('tells the code, and the cause behind it', () => {
    const cause = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
    const error = new Error('no answer', { cause });
    expect(describeError(error)).toMatchObject({ message: 'no answer', cause: { code: 'ECONNREFUSED' } });
  });
});
