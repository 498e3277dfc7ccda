import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import type { Observation } from './observation.ts';

/** What one example says it does, in words and as a judgement of what was seen. */
export type Promised = {
  readonly workflow: string;
  readonly says: string;
  readonly holds: (status: WorkflowStatus, seen: Observation) => boolean;
};

const hasRun = (status: WorkflowStatus, kind: string, task: string): boolean =>
  (status.handlers ?? []).some(
    (handler) => handler.kind === kind && handler.task === task && handler.state === 'Succeeded',
  );

function fieldOf(result: unknown, name: string): unknown {
  return typeof result === 'object' && result !== null ? (result as Record<string, unknown>)[name] : undefined;
}

/** What the examples in `examples/` promise, on a cluster in which these nodes have a GPU. */
export function promisesOfExamples(gpuNodes: readonly string[]): readonly Promised[] {
  return [
    {
      workflow: 'ml-pipeline',
      says: 'Succeeded, with a model that explains its data',
      holds: (status) => status.state === 'Succeeded' && Number(fieldOf(status.result, 'r2')) > 0.9,
    },
    {
      workflow: 'ml-pipeline',
      says: `trained on ${gpuNodes.join(' or ')}, by a pod of the pool gpu`,
      holds: (status, seen) => {
        const trainer = seen.pods.get(String(fieldOf(status.result, 'trainedBy')));
        return trainer?.pool === 'gpu' && gpuNodes.includes(trainer.node);
      },
    },
    {
      workflow: 'sum-of-squares',
      says: 'Succeeded with 385',
      holds: (status) => status.state === 'Succeeded' && status.result === 385,
    },
    {
      workflow: 'safe-division',
      says: 'Succeeded with 2.5, and its callback ran',
      holds: (status) => status.state === 'Succeeded' && status.result === 2.5 && hasRun(status, 'Link', 'on_success'),
    },
    {
      workflow: 'risky-division',
      says: 'Failed as it should, and its errback ran',
      holds: (status) => status.state === 'Failed' && hasRun(status, 'LinkError', 'on_fail'),
    },
    {
      workflow: 'image-thumbnail',
      says: 'Succeeded, told user-42, and its clean-up ran',
      holds: (status) =>
        status.state === 'Succeeded' &&
        fieldOf(status.result, 'to') === 'user-42' &&
        hasRun(status, 'Finally', 'clean_up'),
    },
  ];
}

export type Verdict = { readonly workflow: string; readonly says: string; readonly kept: boolean };

/** Each promise with whether it was kept; a workflow that was not seen keeps none. */
export function judge(promises: readonly Promised[], seen: Observation): Verdict[] {
  return promises.map(({ workflow, says, holds }) => {
    const status = seen.workflows.get(workflow);
    return { workflow, says, kept: status !== undefined && holds(status, seen) };
  });
}
