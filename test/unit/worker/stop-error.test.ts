import { expect, test } from 'vitest';
import { raisedBy } from '#worker/tasks/run-task.ts';
import { isFinal, stopError } from '#worker/tasks/stop-error.ts';

test('a soft time limit that a task throws on is told by its name, without frames of the worker', () => {
  const reason = stopError('SoftTimeLimitExceeded');
  expect(isFinal(reason)).toBe(false);
  expect(raisedBy(reason, 'tasks')).toEqual({
    exception: {
      type: 'SoftTimeLimitExceeded',
      messageText: '["the soft time limit is over"]',
      module: 'billiard.exceptions',
    },
    traceback: 'SoftTimeLimitExceeded: the soft time limit is over',
  });
});
