import { describe, expect, test } from 'vitest';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import { isOver, nothingSeen, type Observation, type SeenPod } from '../../../scripts/demo/observation.ts';
import { judge, promisesOfExamples } from '../../../scripts/demo/promise.ts';

function seeing(workflow: string, status: WorkflowStatus, pods: Record<string, SeenPod> = {}): Observation {
  return { ...nothingSeen, workflows: new Map([[workflow, status]]), pods: new Map(Object.entries(pods)) };
}
const handled = (kind: 'Link' | 'LinkError' | 'Finally', task: string, state: string) => [
  { kind, path: 'spec', task, state },
];
const trained = { state: 'Succeeded', result: { r2: 0.98, trainedBy: 'gpu-1' } };

describe('what the demo demands of the examples', () => {
  test.each<{ why: string; seen: Observation; kept: string[] }>([
    { why: 'nothing seen keeps no promise', seen: nothingSeen, kept: [] },
    {
      why: 'a trained model is half of it when nobody knows where it was trained',
      seen: seeing('ml-pipeline', trained),
      kept: ['Succeeded, with a model that explains its data'],
    },
    {
      why: 'the node with the GPU is the other half',
      seen: seeing('ml-pipeline', trained, { 'gpu-1': { pool: 'gpu', node: 'gpu' } }),
      kept: ['Succeeded, with a model that explains its data', 'trained on gpu, by a pod of the pool gpu'],
    },
    {
      why: 'another node does not do',
      seen: seeing('ml-pipeline', trained, { 'gpu-1': { pool: 'gpu', node: 'cpu' } }),
      kept: ['Succeeded, with a model that explains its data'],
    },
    { why: 'a wrong sum is no success', seen: seeing('sum-of-squares', { state: 'Succeeded', result: 384 }), kept: [] },
    {
      why: 'a failure whose errback ran is what was promised',
      seen: seeing('risky-division', { state: 'Failed', handlers: handled('LinkError', 'on_fail', 'Succeeded') }),
      kept: ['Failed as it should, and its errback ran'],
    },
    {
      why: 'a failure whose errback failed is not',
      seen: seeing('risky-division', { state: 'Failed', handlers: handled('LinkError', 'on_fail', 'Failed') }),
      kept: [],
    },
    {
      why: 'a success where a failure was promised is not',
      seen: seeing('risky-division', { state: 'Succeeded', handlers: handled('LinkError', 'on_fail', 'Succeeded') }),
      kept: [],
    },
    {
      why: 'what should be passed over and ran is not what was promised',
      seen: seeing('conditional', {
        state: 'Succeeded',
        result: { owner: 'nobody' },
        steps: [{ id: 1, path: 'spec.chain[2]', task: 'split_batch', state: 'Succeeded' }],
      }),
      kept: [],
    },
    {
      why: 'a clock that was read early is not',
      seen: seeing('scheduled', { state: 'Succeeded', result: { waitedMs: 4_999 } }),
      kept: [],
    },
    {
      why: 'one that was read in time is',
      seen: seeing('scheduled', { state: 'Succeeded', result: { waitedMs: 5_040 } }),
      kept: ['Succeeded, five seconds after its clock was started'],
    },
    {
      why: 'what was ordered without having been cancelled and asked for again is not',
      seen: seeing('steered', { state: 'Succeeded', round: 0, result: { ordered: 26 } }),
      kept: [],
    },
  ])('$why', ({ seen, kept }) => {
    const verdicts = judge(promisesOfExamples(['gpu']), seen);
    expect(verdicts.filter((verdict) => verdict.kept).map(({ says }) => says)).toEqual(kept);
  });

  test.each([
    { status: undefined, over: false },
    { status: {}, over: false },
    { status: withSucceeded('Unknown'), over: false },
    { status: withSucceeded('True'), over: true },
    { status: withSucceeded('False'), over: true },
  ])('over only when the condition has turned: $over', ({ status, over }) => expect(isOver(status)).toBe(over));
});

function withSucceeded(status: 'True' | 'False' | 'Unknown'): WorkflowStatus {
  const lastTransitionTime = '2026-11-21T12:00:00Z';
  return { conditions: [{ type: 'Succeeded', status, reason: 'Running', message: '', lastTransitionTime }] };
}
