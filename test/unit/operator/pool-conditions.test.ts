import { describe, expect, test } from 'vitest';
import { buildConditions } from '#operator/conditions/condition-list.ts';
import type { PodFacts } from '#operator/conditions/pool-pods.ts';
import { judgePoolReady } from '#operator/conditions/pool-ready.ts';
import { judgePodsSchedulable } from '#operator/conditions/pods-schedulable.ts';
import { judgeScalingLimited } from '#operator/conditions/scaling-limited.ts';

function aPod(facts: Partial<PodFacts> = {}): PodFacts {
  return { name: 'train-x', isUnscheduled: false, isReady: true, restarts: 0, ...facts };
}

const fine = { namespace: 'ml', image: 'img:1', pods: [aPod()], replicas: 1, readyReplicas: 1, isUpToDate: true };
const crashing = { isReady: false, restarts: 4, waitingReason: 'CrashLoopBackOff' };

describe('a pool', () => {
  test.each([
    {
      why: 'is ready when all its pods are',
      facts: {},
      want: { status: 'True', reason: 'Ready', message: '1 pod is ready' },
    },
    {
      why: 'is ready without pods when none is wanted',
      facts: { replicas: 0, readyReplicas: 0, pods: [] },
      want: { status: 'True', reason: 'ScaledToZero' },
    },
    {
      why: 'is of use while only some pods are ready',
      facts: { replicas: 3 },
      want: { status: 'True', reason: 'Progressing', message: '1 of 3 pods are ready' },
    },
    {
      why: 'is of no use yet while no pod is ready',
      facts: { readyReplicas: 0 },
      want: { status: 'False', reason: 'Progressing' },
    },
    {
      why: 'progresses while pods of an old template remain',
      facts: { isUpToDate: false },
      want: { status: 'True', reason: 'Progressing' },
    },
    {
      why: 'points at the scheduler when that keeps its pods',
      facts: { readyReplicas: 0, pods: [aPod({ isUnscheduled: true, isReady: false })] },
      want: { reason: 'Progressing', message: '0 of 1 pods are ready; see the condition PodsSchedulable' },
    },
    {
      why: 'tells what is wrong with its queues before anything else',
      facts: { problem: { reason: 'QueueNotFound', message: 'no queue' }, pods: [aPod(crashing)] },
      want: { status: 'False', reason: 'QueueNotFound', message: 'no queue' },
    },
    {
      why: 'tells that its pods are refused',
      facts: { podsRefused: 'exceeded quota', pods: [] },
      want: { status: 'False', reason: 'PodsRefused', message: 'pods cannot be made: exceeded quota' },
    },
    {
      why: 'tells of an image that cannot be pulled even while other pods are ready',
      facts: { pods: [aPod(), aPod({ waitingReason: 'ErrImagePull', waitingMessage: 'not found' })] },
      want: { status: 'False', reason: 'ImagePullFailed' },
    },
    {
      why: 'tells of a container that cannot be made',
      facts: { pods: [aPod({ waitingReason: 'CreateContainerConfigError', waitingMessage: 'secret "x" not found' })] },
      want: {
        reason: 'ContainerConfigError',
        message: 'the container of pod train-x cannot be made: secret "x" not found',
      },
    },
    {
      why: 'tells of a worker that crashes',
      facts: { pods: [aPod({ ...crashing, lastEnd: { exitCode: 3, reason: 'Error', message: 'no tasks' } })] },
      want: {
        reason: 'ContainerCrashing',
        message:
          'the worker in pod train-x ended with exit code 3, saying: no tasks (4 restarts); see kubectl logs -n ml train-x --previous',
      },
    },
    {
      why: 'tells the way out when memory did not do',
      facts: { pods: [aPod({ ...crashing, lastEnd: { exitCode: 137, reason: 'OOMKilled', message: '' } })] },
      want: {
        reason: 'ContainerCrashing',
        message:
          'the worker in pod train-x used more memory than it may and was killed (4 restarts): raise spec.resources.limits.memory or lower spec.concurrency',
      },
    },
    { why: 'forgives one restart', facts: { pods: [aPod({ restarts: 1 })] }, want: { reason: 'Ready' } },
    {
      why: 'forgives restarts of a worker that runs again',
      facts: { pods: [aPod({ restarts: 9 })] },
      want: { reason: 'Ready' },
    },
  ])('$why', ({ facts, want }) => {
    expect(judgePoolReady({ ...fine, ...facts } as Parameters<typeof judgePoolReady>[0])).toMatchObject(want);
  });
});

describe('pods', () => {
  test.each([
    { why: 'that are not there lack no node', pods: [], want: { status: 'True', reason: 'NoPods' } },
    { why: 'with nodes are fine', pods: [aPod()], want: { status: 'True', reason: 'AllScheduled' } },
    {
      why: 'without a node tell what the scheduler said',
      pods: [aPod(), aPod({ isUnscheduled: true, schedulerMessage: 'no GPU' })],
      want: { status: 'False', message: '1 of 2 pods find no node: no GPU' },
    },
  ])('$why', ({ pods, want }) => {
    expect(judgePodsSchedulable(pods)).toMatchObject(want);
  });
});

describe('scaling', () => {
  test.each([
    { limit: 'WithinBounds', status: 'False' },
    { limit: 'TooManyReplicas', status: 'True' },
    { limit: 'TooFewReplicas', status: 'True' },
    { limit: 'NotAutoscaled', status: 'False' },
    { limit: 'UnknownDepth', status: 'Unknown' },
  ] as const)('is limited when $limit: $status', ({ limit, status }) => {
    expect(judgeScalingLimited({ limit, replicas: 2 })).toMatchObject({
      type: 'ScalingLimited',
      status,
      reason: limit,
    });
  });
});

describe('conditions', () => {
  const judgedAt = { generation: 2, now: '2026-02-02T00:00:00Z' };
  const known = [
    { type: 'Ready', status: 'True', reason: 'Ready', message: 'ok', lastTransitionTime: '2026-01-01T00:00:00Z' },
    { type: 'Foreign', status: 'True', reason: 'X', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ] as const;

  test.each([
    { why: 'keep their time while the status stays', status: 'True', want: '2026-01-01T00:00:00Z' },
    { why: 'take the time at which the status changes', status: 'False', want: '2026-02-02T00:00:00Z' },
  ] as const)('$why', ({ status, want }) => {
    const [ready] = buildConditions(known, [{ type: 'Ready', status, reason: 'Progressing', message: 'm' }], judgedAt);
    expect(ready).toMatchObject({
      status,
      reason: 'Progressing',
      message: 'm',
      lastTransitionTime: want,
      observedGeneration: 2,
    });
  });

  test('that nobody judged stay as they are', () => {
    const verdict = { type: 'Ready', status: 'True', reason: 'Ready', message: '' } as const;
    expect(buildConditions(known, [verdict], judgedAt)).toContainEqual(known[1]);
  });
});
