import { describe, expect, test } from 'vitest';
import { nullText, stringifyJson } from '#core/base/json-text.ts';
import { engineFailure, type Failure } from '#core/workflow/failure.ts';
import { shownError, shownErrorText } from '#core/workflow/shown-error.ts';

function raised(module: string, type: string, ...args: readonly unknown[]): Failure {
  return { exc: stringifyJson({ exc_type: type, exc_message: args, exc_module: module }), traceback: nullText };
}

const inWords = 'it ran longer than its time limit of 3 s, and was ended';

describe('what status shows of an exception', () => {
  test.each<{ why: string; failure: Failure; type: string; message: string }>([
    {
      why: 'its type and message',
      failure: raised('builtins', 'ValueError', 'no such bucket'),
      type: 'ValueError',
      message: 'no such bucket',
    },
    {
      why: "Celery's bare number of seconds in words",
      failure: raised('billiard.exceptions', 'TimeLimitExceeded', 3),
      type: 'TimeLimitExceeded',
      message: inWords,
    },
    {
      why: 'parts of a second',
      failure: raised('billiard.exceptions', 'TimeLimitExceeded', 1.5),
      type: 'TimeLimitExceeded',
      message: 'it ran longer than its time limit of 1.5 s, and was ended',
    },
    {
      why: "the operator's own words as they are",
      failure: engineFailure('TimeLimitExceeded', 'spec: ran longer than its timeLimit of 3 s'),
      type: 'TimeLimitExceeded',
      message: 'spec: ran longer than its timeLimit of 3 s',
    },
    {
      why: "a number that is another's",
      failure: raised('shop.orders', 'TimeLimitExceeded', 3),
      type: 'TimeLimitExceeded',
      message: '3',
    },
  ])('$why', ({ failure, type, message }) => {
    expect(shownError(failure)).toEqual({ type, message });
    expect(shownErrorText(failure)).toBe(`${type}: ${message}`);
  });

  test('no more of a long one than there is room for', () => {
    const { type, message } = shownError(raised('m', 'T'.repeat(300), 'x'.repeat(300)));
    expect([type.length, message.length]).toEqual([255, 256]);
    expect(shownErrorText(raised('m', 'E', 'x'.repeat(300)))).toHaveLength(256);
  });
});
