import { defined } from '#core/base/defined.ts';
import type { ScalingDecision, WorkerPool, WorkerPoolStatus } from '#core/resources/worker-pool.ts';
import type { ScalingSpec, ScalingVerdict } from '#core/scaling/decide.ts';
import { buildConditions, secondsTime, type Verdict } from '../conditions/condition-list.ts';
import { judgePodsSchedulable } from '../conditions/pods-schedulable.ts';
import { judgePoolReady, type PoolProblem, type PoolReadyFacts } from '../conditions/pool-ready.ts';
import { judgeScalingLimited } from '../conditions/scaling-limited.ts';
import { selectorTextOfPool } from '../desired/labels.ts';
import type { Deployment } from '../observed/observed-objects.ts';
import type { PoolObservation } from './pool-observation.ts';

/** What a pass over a pool saw, decided and did. */
export interface PoolPass {
  readonly seen: PoolObservation;
  readonly spec: ScalingSpec;
  readonly verdict: ScalingVerdict;
  /** Pods that were asked for in the end. */
  readonly replicas: number;
  /** As it stands now. */
  readonly deployment?: Deployment;
  readonly image: string;
  readonly problem?: PoolProblem;
}

/** The whole status of a pool. `decision` is the one that stands. */
export function buildPoolStatus(
  pool: WorkerPool,
  pass: PoolPass,
  { decision, nowMs }: { decision: ScalingDecision; nowMs: number },
): WorkerPoolStatus {
  const { metadata, status } = pool;
  const { replicas = 0, readyReplicas = 0 } = pass.deployment?.status ?? {};
  const judgedAt = { generation: metadata.generation, now: secondsTime(nowMs) };
  return {
    observedGeneration: metadata.generation,
    conditions: [...buildConditions(status?.conditions, verdictsOf(pool, pass), judgedAt)],
    selector: selectorTextOfPool(metadata.name),
    replicas,
    readyReplicas,
    ...defined({ slots: pass.seen.slots }),
    lastDecision: decision,
  };
}

function verdictsOf(pool: WorkerPool, pass: PoolPass): readonly Verdict[] {
  const { seen, verdict, replicas, problem } = pass;
  // While the connection is being opened nobody knows whether the pool will do.
  const isUndecided = seen.connection?.state === 'Opening' && problem === undefined;
  return [
    ...(isUndecided ? [] : [judgePoolReady(readyFactsOf(pool, pass))]),
    judgeScalingLimited({ limit: verdict.limit, replicas }),
    judgePodsSchedulable(seen.pods),
  ];
}

function readyFactsOf(pool: WorkerPool, { deployment, replicas, problem, image, seen }: PoolPass): PoolReadyFacts {
  const { conditions = [], readyReplicas = 0 } = deployment?.status ?? {};
  const refused = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  return {
    namespace: pool.metadata.namespace,
    image,
    pods: seen.pods,
    replicas,
    readyReplicas,
    isUpToDate: isUpToDate(deployment, replicas),
    ...defined({ problem, podsRefused: refused?.message }),
  };
}

function isUpToDate(deployment: Deployment | undefined, replicas: number): boolean {
  if (deployment === undefined) return false;
  const { metadata, status = {} } = deployment;
  const { observedGeneration = 0, updatedReplicas = 0 } = status;
  return observedGeneration >= (metadata.generation ?? 0) && updatedReplicas >= replicas;
}

/** A decision is noted when it differs from the one before; its inputs are those of that moment. */
export function buildDecision(
  known: ScalingDecision | undefined,
  { verdict, replicas, spec, seen }: PoolPass,
  nowMs: number,
): ScalingDecision {
  if (known?.replicas === replicas && known.reason === verdict.reason) return known;
  return {
    replicas,
    reason: verdict.reason,
    at: secondsTime(nowMs),
    inputs: { ...seen.demand, currentReplicas: seen.currentReplicas, ...boundsOf(spec) },
  };
}

function boundsOf(spec: ScalingSpec): Partial<ScalingDecision['inputs']> {
  if (spec.kind === 'Fixed') return {};
  const { slotsPerReplica, tasksPerSlot, minReplicas, maxReplicas } = spec;
  return { slotsPerReplica, tasksPerSlot, minReplicas, maxReplicas };
}
