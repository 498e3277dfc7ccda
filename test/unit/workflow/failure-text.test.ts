import { describe, expect, test } from 'vitest';
import type { StepFailure } from '#core/resources/workflow-status.ts';
import { failureText } from '#core/workflow/failure-text.ts';

const at = { step: 1, path: 'spec.chain[0]', task: 'load' };

describe('what a condition says of a failed step', () => {
  test.each<{ why: string; failure: StepFailure; says: string }>([
    {
      why: 'its place, its task, the error',
      failure: { ...at, type: 'ValueError', message: 'no such bucket' },
      says: 'spec.chain[0]: task load failed with ValueError: no such bucket',
    },
    {
      why: 'its name before its task, and the item of a map',
      failure: { ...at, name: 'fetch', member: 3, item: 3, type: 'ValueError', message: 'no such bucket' },
      says: 'spec.chain[0]: fetch, task load for item 3 failed with ValueError: no such bucket',
    },
    {
      why: 'the items of a chunk, of which it is not known which one failed',
      failure: { ...at, member: 1, item: 3, items: 3, type: 'ValueError', message: 'no such bucket' },
      says: 'spec.chain[0]: task load for items 3 to 5 failed with ValueError: no such bucket',
    },
    {
      why: 'an element that failed itself, its place once',
      failure: { step: 1, path: 'spec.chain[1]', name: 'all', type: 'NotAList', message: 'spec.chain[1]: it is 3' },
      says: 'spec.chain[1]: all failed with NotAList: it is 3',
    },
    {
      why: 'how many attempts there were',
      failure: { ...at, attempt: 2, type: 'ValueError', message: 'no such bucket' },
      says: 'spec.chain[0]: task load failed with ValueError (attempt 3): no such bucket',
    },
    {
      why: "Celery's name for a task that no worker has, and what to look at",
      failure: { ...at, type: 'NotRegistered', message: 'load' },
      says: "spec.chain[0]: task load failed with NotRegistered: the worker that took it has no task of that name; is the module of load in its pool's image?",
    },
    {
      why: "the operator's own words for a limit that no worker held",
      failure: { ...at, type: 'TimeLimitExceeded', message: 'spec.chain[0]: ran longer than its timeLimit of 3 s' },
      says: 'spec.chain[0]: task load failed with TimeLimitExceeded: ran longer than its timeLimit of 3 s',
    },
  ])('$why', ({ failure, says }) => {
    expect(failureText(failure)).toBe(says);
  });
});
