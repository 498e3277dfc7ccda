import { canonicalJson } from '#core/base/json-text.ts';
import { mutableSpecKeys } from '#core/resources/workflow.ts';
import { ApiRefusal } from './api-answer.ts';
import type { Place } from './api-place.ts';
import type { StoredObject } from './object-rules.ts';

interface SpecLike {
  readonly cancel?: boolean;
  readonly retryFailed?: number;
  readonly [key: string]: unknown;
}

/** What the chart's policy and the CRD's rules say against a change of a Workflow. Throws `ApiRefusal`. */
export function checkWorkflowChange(before: StoredObject, after: StoredObject, { collection }: Place): void {
  if (!collection.endsWith('/workflows')) return;
  const [was, is] = [before.spec as SpecLike, after.spec as SpecLike];
  if (frozen(was) !== frozen(is)) {
    const keys = mutableSpecKeys.join(', ');
    throw new ApiRefusal(403, 'Forbidden', `of a Workflow's spec only ${keys} can be changed once it exists`);
  }
  checkRetry(was, is);
}

function checkRetry(was: SpecLike, is: SpecLike): void {
  const [retriedBefore, retried] = [was.retryFailed ?? 0, is.retryFailed ?? 0];
  if (retried < retriedBefore) throw new ApiRefusal(422, 'Invalid', 'spec: the number of retryFailed never falls');
  if (was.cancel === true && is.cancel !== true && retried === retriedBefore) {
    throw new ApiRefusal(422, 'Invalid', 'spec: a cancel stays; to go on, raise retryFailed in the same change');
  }
  if (is.cancel === true && retried !== retriedBefore) {
    throw new ApiRefusal(422, 'Invalid', 'spec: while cancel is true retryFailed begins no round');
  }
}

function frozen(spec: SpecLike): string {
  return canonicalJson(Object.fromEntries(Object.entries(spec).filter(([key]) => !mutableSpecKeys.includes(key))));
}
