import { canonicalJson, type JsonText } from '#core/base/json-text.ts';
import { mutableSpecKeys } from '#core/resources/workflow.ts';

/** The text whose SHA-256 is the digest of a frozen spec: sorted keys, as served, less the mutable ones. */
export function frozenText(spec: object): JsonText {
  return canonicalJson(Object.fromEntries(Object.entries(spec).filter(([key]) => !mutableSpecKeys.includes(key))));
}
