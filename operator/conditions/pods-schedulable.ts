import type { PodsSchedulableReason } from '#core/resources/reasons.ts';
import type { Verdict } from './condition-list.ts';
import type { PodFacts } from './pool-pods.ts';

/** Whether every pod of a pool found a node. */
export function judgePodsSchedulable(pods: readonly PodFacts[]): Verdict {
  const homeless = pods.filter(({ isUnscheduled }) => isUnscheduled);
  const [first] = homeless;
  if (first !== undefined) {
    const said = first.schedulerMessage ?? 'the scheduler gave no reason';
    const count = `${String(homeless.length)} of ${String(pods.length)} pods`;
    return verdict('False', 'Unschedulable', `${count} find no node: ${said}`);
  }
  if (pods.length === 0) return verdict('True', 'NoPods', 'there are no pods');
  return verdict('True', 'AllScheduled', 'every pod found a node');
}

function verdict(status: 'True' | 'False', reason: PodsSchedulableReason, message: string): Verdict {
  return { type: 'PodsSchedulable', status, reason, message };
}
