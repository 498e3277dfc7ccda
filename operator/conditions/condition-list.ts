import type { Condition } from '#core/resources/condition.ts';

/** What a condition says, before it is known when it began to. */
export type Verdict = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** When and about which spec verdicts were passed. */
export interface JudgedAt {
  readonly generation: number;
  /** RFC 3339 to the second, as Kubernetes writes it. */
  readonly now: string;
}

/**
 * The conditions after new verdicts: `lastTransitionTime` moves only when the status of a condition does, and those that
 * nobody judged anew stay as they are.
 */
export function buildConditions(
  known: readonly Condition[] | undefined,
  verdicts: readonly Verdict[],
  { generation, now }: JudgedAt,
): readonly Condition[] {
  const judged = new Set(verdicts.map(({ type }) => type));
  const others = (known ?? []).filter(({ type }) => !judged.has(type));
  const next = verdicts.map((verdict) => {
    const before = known?.find(({ type }) => type === verdict.type);
    const lastTransitionTime = before?.status === verdict.status ? before.lastTransitionTime : now;
    return { ...verdict, lastTransitionTime, observedGeneration: generation };
  });
  return [...next, ...others];
}

/** Kubernetes' times of conditions: whole seconds. */
export function secondsTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
