import { defined } from '#core/base/defined.ts';
import { fail, type Result } from '#core/base/result.ts';
import type { ScalingDecision, WorkerPool } from '#core/resources/worker-pool.ts';
import { decide, type ScalingHistory } from '#core/scaling/decide.ts';
import { keyOf } from '#io/kube/object.ts';
import { resources } from '#io/kube/resource.ts';
import type { PoolProblem } from '../conditions/pool-ready.ts';
import type { Controller, Requeue } from '../control/controller.ts';
import { StatusWriter } from '../control/status-writer.ts';
import { buildDeployment, connectionVersionAnnotation } from '../desired/deployment.ts';
import type { ControllerDeps } from './controller-deps.ts';
import { DeploymentApplier } from './deployment-applier.ts';
import type { Deployment } from '../observed/observed-objects.ts';
import { scalingSpecOf } from './pool-demand.ts';
import { observePool, type PoolObservation } from './pool-observation.ts';
import { buildDecision, buildPoolStatus, type PoolPass } from './pool-status.ts';

const statusQuietMs = 1_000;
/** What only a person can mend is looked at again so often, since not all of it is watched. */
const mendedAfterMs = 10_000;
/** A new Deployment whose watch says nothing is asked for again after this long. */
const unheardOfMs = 1_000;

/** Keeps one Deployment per pool as its spec says, with as many pods as the work asks for. */
export class WorkerPoolController implements Controller {
  readonly name = 'worker-pool';
  readonly #deps: ControllerDeps;
  readonly #applier: DeploymentApplier;
  readonly #writer: StatusWriter<WorkerPool>;
  readonly #histories = new Map<string, ScalingHistory>();
  readonly #asked = new Map<string, number>();
  readonly #decisions = new Map<string, ScalingDecision>();

  constructor(deps: ControllerDeps) {
    const { client, reflectors, timers } = deps;
    const resource = resources.workerPools;
    this.#deps = deps;
    this.#applier = new DeploymentApplier(client, reflectors.deployments);
    this.#writer = new StatusWriter({
      ...{ client, resource, timers },
      reflector: reflectors.workerPools,
      quietMs: statusQuietMs,
    });
  }

  async reconcile(key: string): Promise<Requeue | undefined> {
    const pool = this.#deps.reflectors.workerPools.get(key);
    if (pool === undefined || pool.metadata.deletionTimestamp !== undefined) {
      this.#forget(key);
      return undefined;
    }
    const nowMs = this.#deps.nowMs();
    const pass = await this.#scale(pool, nowMs);
    // Nobody is left to read a status.
    if (pass.problem?.reason === 'Deleting') return undefined;
    const decision = buildDecision(this.#decisions.get(key) ?? pool.status?.lastDecision, pass, nowMs);
    this.#decisions.set(key, decision);
    // When many pools grow at once, the pods of the last come before what a person reads of the first.
    if (isResized(pass) && pass.problem === undefined) return { requeueAfterMs: lookAfterMs(pass) };
    const later = await this.#writer.write(pool, buildPoolStatus(pool, pass, { decision, nowMs }));
    return earliest([later?.requeueAfterMs, ...waitsOf(pass, nowMs)]);
  }

  async #scale(pool: WorkerPool, nowMs: number): Promise<PoolPass> {
    const key = keyOf(pool);
    const seen = observePool(pool, await this.#applier.find(key), this.#deps);
    const spec = scalingSpecOf(pool);
    const { currentReplicas, demand, connection } = seen;
    const observation = { replicas: currentReplicas, ...defined({ demand, asked: this.#asked.get(key) }) };
    const verdict = decide(spec, observation, this.#histories.get(key), nowMs);
    // Workers whose connection is not there, or not theirs to use, must not be started; those that run are left alone.
    const mayStart = connection?.state === 'Ready';
    const replicas = mayStart ? verdict.replicas : Math.min(currentReplicas, verdict.replicas);
    const applied = await this.#apply(pool, seen, replicas);
    // A decision that was refused, for it rested on what is no more, is no history.
    this.#histories.set(key, verdict.history);
    if (applied.ok) this.#asked.set(key, applied.value.spec?.replicas ?? replicas);
    const problem = problemOf(seen, applied);
    const deployment = applied.ok ? applied.value : seen.deployment;
    return {
      seen,
      spec,
      verdict,
      replicas,
      image: this.#imageOf(pool),
      ...(deployment === undefined ? {} : { deployment }),
      ...(problem === undefined ? {} : { problem }),
    };
  }

  async #apply(pool: WorkerPool, seen: PoolObservation, replicas: number): Promise<Result<Deployment, PoolProblem>> {
    if (!seen.queues.ok) return fail(seen.queues.error);
    const { ref, queueNames } = seen.queues.value;
    const version = connectionVersionOf(seen);
    const desired = buildDeployment(pool, {
      replicas,
      queueNames,
      connection: ref.name,
      defaultImage: this.#imageOf(pool),
      ...(version === undefined ? {} : { connectionVersion: version }),
    });
    return this.#applier.apply(desired, { existing: seen.deployment, ownerUid: pool.metadata.uid });
  }

  #imageOf({ spec }: WorkerPool): string {
    return spec.image ?? this.#deps.config.workerImage;
  }

  #forget(key: string): void {
    this.#applier.forget(key);
    this.#writer.forget(key);
    this.#histories.delete(key);
    this.#asked.delete(key);
    this.#decisions.delete(key);
  }
}

/** While the connection is not open, the version that the pods were made for. */
function connectionVersionOf({ connection, deployment }: PoolObservation): string | undefined {
  if (connection?.state === 'Ready') return connection.connection.version;
  return deployment?.spec?.template?.metadata?.annotations?.[connectionVersionAnnotation];
}

function problemOf(seen: PoolObservation, applied: Result<Deployment, PoolProblem>): PoolProblem | undefined {
  if (!applied.ok) return applied.error;
  if (!seen.queues.ok || seen.connection?.state !== 'Failed') return undefined;
  const { message } = seen.connection.failure;
  return { reason: 'ConnectionNotReady', message: `connection ${seen.queues.value.ref.name}: ${message}` };
}

/** Whether the API server keeps another number than before: it need not be ours, for admission rules may cap it. */
function isResized({ deployment, seen }: PoolPass): boolean {
  return (deployment?.spec?.replicas ?? 0) !== seen.currentReplicas;
}

/** One that was just made is not in our copy until its watch tells; asking before would only make it once more. */
function lookAfterMs({ seen }: PoolPass): number {
  return seen.deployment === undefined ? unheardOfMs : 1;
}

/** How long until the pool wants a look although nothing changes. */
function waitsOf({ verdict, problem }: PoolPass, nowMs: number): readonly number[] {
  const { lookAgainAtMs } = verdict;
  return [
    ...(lookAgainAtMs === undefined ? [] : [lookAgainAtMs - nowMs]),
    ...(problem === undefined ? [] : [mendedAfterMs]),
  ];
}

function earliest(waits: readonly (number | undefined)[]): Requeue | undefined {
  const known = waits.filter((wait) => wait !== undefined);
  return known.length === 0 ? undefined : { requeueAfterMs: Math.max(1, Math.min(...known)) };
}
