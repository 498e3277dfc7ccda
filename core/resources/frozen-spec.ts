import { mutableSpecKeys } from './workflow.ts';

/**
 * The CEL expression with which the API server freezes a Workflow's spec: every key but the mutable ones equals the old
 * one, and none came or went. It holds below the unrolled levels of the schema too, since an admission policy compares
 * without types; a rule within the CRD would not see what lies there.
 */
export function buildFrozenSpecExpression(mutableKeys: readonly string[] = mutableSpecKeys): string {
  const mutable = `[${mutableKeys.map((key) => `'${key}'`).join(', ')}]`;
  return [
    `object.spec.all(k, k in ${mutable} || (k in oldObject.spec && object.spec[k] == oldObject.spec[k]))`,
    `oldObject.spec.all(k, k in ${mutable} || k in object.spec)`,
  ].join(' && ');
}
