import { planVersion } from '#core/canvas/plan.ts';
import type { RunHead } from '#core/workflow/advance.ts';
import type { Stopped } from './run-driver.ts';

/** A run that this operator must leave alone. */
export function stoppedBecause(head: RunHead, order: { readonly digest: string }): Stopped | undefined {
  if (head.planVersion !== planVersion) {
    const message = `the run was planned by version ${head.planVersion} of the planner and this operator has ${planVersion}`;
    return { reason: 'UnknownPlanVersion', message: `${message}: let an operator of the other version finish it` };
  }
  if (head.digest !== order.digest) {
    return {
      reason: 'SpecChanged',
      message: 'spec is not what the run began with: delete the Workflow and create it anew',
    };
  }
  return undefined;
}
