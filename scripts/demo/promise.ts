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

const isPassedOver = (status: WorkflowStatus, task: string): boolean =>
  (status.steps ?? []).some((step) => step.task === task && step.state === 'PassedOver');

/** Never early; late by what a busy machine may need. */
const isNear = (ms: number, dueMs: number): boolean => ms >= dueMs && ms < dueMs + 60_000;

function fieldOf(result: unknown, name: string): unknown {
  return typeof result === 'object' && result !== null ? (result as Record<string, unknown>)[name] : undefined;
}

/** What does not depend on the cluster's nodes. */
const promisesAnywhere: readonly Promised[] = [
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
  {
    workflow: 'dynamic-map',
    says: 'Succeeded, over the twelve chapters that a task had listed',
    holds: (status) => status.state === 'Succeeded' && fieldOf(status.result, 'chapters') === 12,
  },
  {
    workflow: 'chunked-map',
    says: 'Succeeded with 25, the primes below 100, ten numbers a message',
    holds: (status) => status.state === 'Succeeded' && status.result === 25,
  },
  {
    workflow: 'conditional',
    says: 'Succeeded without the owner, and passed over what was not needed',
    holds: (status) =>
      status.state === 'Succeeded' &&
      fieldOf(status.result, 'owner') === 'nobody' &&
      isPassedOver(status, 'split_batch') &&
      !isPassedOver(status, 'repair_batch'),
  },
  {
    workflow: 'scheduled',
    says: 'Succeeded, five seconds after its clock was started',
    holds: (status) => status.state === 'Succeeded' && isNear(Number(fieldOf(status.result, 'waitedMs')), 5_000),
  },
  {
    workflow: 'fragile',
    says: 'Succeeded with three pages, each of which had timed out at first',
    holds: (status) => status.state === 'Succeeded' && fieldOf(status.result, 'pages') === 3,
  },
  {
    workflow: 'steered',
    says: 'Succeeded in its second round: held, cancelled, asked for again and let go',
    holds: (status) =>
      status.state === 'Succeeded' &&
      status.round === 1 &&
      fieldOf(status.result, 'ordered') === 26 &&
      hasRun(status, 'Finally', 'tell_buyer'),
  },
];

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
    ...promisesAnywhere,
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
