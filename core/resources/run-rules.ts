import type { ValidationRule } from './crd/open-api-schema.ts';

const retries = (spec: string): string => `(has(${spec}.retryFailed) ? ${spec}.retryFailed : 0)`;
const cancelled = (spec: string): string => `(has(${spec}.cancel) && ${spec}.cancel)`;

/** How the keys of a spec that may change may do so: rules over the old and the new spec. */
export const runRules: readonly ValidationRule[] = [
  {
    rule: `${retries('self')} >= ${retries('oldSelf')}`,
    message: 'the number of retryFailed never falls; raise it to run what failed again',
  },
  {
    rule: `!${cancelled('oldSelf')} || ${cancelled('self')} || ${retries('self')} > ${retries('oldSelf')}`,
    message: 'a cancel stays; to go on, set cancel to false and raise retryFailed in one change',
  },
  {
    rule: `!${cancelled('self')} || ${retries('self')} == ${retries('oldSelf')}`,
    message:
      'while cancel is true retryFailed begins no round, and its number would be used up; set cancel to false and raise retryFailed in one change',
  },
];
