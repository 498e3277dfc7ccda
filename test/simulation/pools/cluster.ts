import type { KubeRequest } from '#io/kube/client.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { collectionPath, objectPath, resources } from '#io/kube/resource.ts';
import type { WorkerLease } from '#io/redis/read-depths.ts';
import type { SimulatedWorker } from '../actors/simulated-worker.ts';
import type { WorkerFleet } from '../actors/worker-fleet.ts';
import { Actor } from '../kernel/actor.ts';
import type { Chance } from '../kernel/chance.ts';
import { epochMs } from '../kernel/timeline.ts';
import { namespace, type Surroundings } from '../surroundings.ts';
import type { PoolJudge } from '../oracle/pool-judge.ts';
import { places, poolName } from './pool-objects.ts';
import type { PoolSwarm } from './pool-swarm.ts';
import { plannedPods } from './rollout.ts';
import { SimulatedPod, type PodTemplate } from './simulated-pod.ts';

interface DeploymentObject {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number; readonly template: PodTemplate };
  readonly status?: object;
}

export interface ClusterOptions {
  readonly world: Surroundings;
  readonly swarm: PoolSwarm;
  readonly fleet: WorkerFleet;
  readonly judge: PoolJudge;
}

const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
/** A lease outlives its worker by so much. */
const leaseMs = 10_000;
const apiAgainMs = 500;

/** What a cluster makes of the pool's Deployment: pods that start, are asked to stop, are killed in the end, and die by themselves. */
export class SimulatedCluster {
  readonly #options: ClusterOptions;
  readonly #actor = new Actor('kubelet');
  readonly #chance: Chance;
  readonly #pods = new Map<string, SimulatedPod>();
  #made = 0;
  #isPlanned = false;
  #statusText = '';

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#chance = options.world.chance.split('cluster');
  }

  /** The Deployment or a pod changed: its controllers look, a little later. */
  wake(afterMs = this.#chance.between(5, 100)): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    this.#options.world.timeline.in(afterMs, this.#actor, 'deployment controller', () => {
      this.#isPlanned = false;
      if (this.#options.world.apiServer.isUp) this.#reconcile();
      else this.wake(apiAgainMs);
    });
  }

  get pods(): readonly SimulatedPod[] {
    return [...this.#pods.values()];
  }

  /** What workers in these pods say of themselves. */
  leases(podUids: readonly string[]): readonly WorkerLease[] {
    const { concurrency: slots } = this.#options.swarm;
    return podUids.flatMap((podUid) => {
      const lease = this.#leaseOf(podUid);
      return lease === undefined ? [] : [{ podUid, slots, busy: lease.busy }];
    });
  }

  /** By `<pod UID>.<n>`. */
  hasLease(incarnation: string): boolean {
    const dot = incarnation.lastIndexOf('.');
    return this.#leaseOf(incarnation.slice(0, dot))?.n === Number(incarnation.slice(dot + 1));
  }

  #leaseOf(podUid: string): { readonly busy: number; readonly n: number } | undefined {
    const { worker, lease } = this.#pods.get(podUid) ?? {};
    if (worker !== undefined && !worker.actor.isDead) return worker.n === 0 ? undefined : worker;
    return lease !== undefined && lease.untilMs > this.#options.world.timeline.nowMs ? lease : undefined;
  }

  /** The node of a pod is taken for lost: its object goes, while its worker works on for a time. */
  lose(podUid: string): void {
    const pod = this.#pods.get(podUid);
    if (pod === undefined || !pod.exists) return;
    this.#take(pod, () => {
      this.#later(this.#chance.between(1_000, 20_000), 'the lost node is off', () => this.#kill(pod));
    });
  }

  /** A pod's object was changed, perhaps by an operator that says which should go first. */
  changed({ metadata }: KubeObject): void {
    const pod = this.#pods.get(metadata.uid ?? '');
    if (pod !== undefined) pod.deletionCost = Number(metadata.annotations?.[deletionCostAnnotation] ?? 0);
  }

  /** A pod's object is gone: if somebody else deleted it, its worker is killed at once. */
  deleted(podUid: string): void {
    const pod = this.#pods.get(podUid);
    if (pod === undefined || pod.isTaken) return;
    pod.askedAtMs ??= this.#options.world.timeline.nowMs;
    pod.exists = false;
    this.#judgeEnd(pod);
    this.#kill(pod);
    this.wake();
  }

  /** A worker process has ended, by itself or because it was told to. */
  ended(worker: SimulatedWorker): void {
    const pod = this.#pods.get(worker.settings.podUid);
    if (pod?.worker !== worker) return;
    const { nowMs } = this.#options.world.timeline;
    pod.worker = undefined;
    pod.readyAtMs = undefined;
    const wasTold = pod.askedAtMs !== undefined;
    pod.lease = wasTold ? undefined : { busy: worker.busy, n: worker.n, untilMs: nowMs + leaseMs };
    if (!pod.exists) return;
    if (wasTold) this.#remove(pod);
    else this.#restart(pod);
  }

  #restart(pod: SimulatedPod): void {
    pod.restarts += 1;
    this.#tell(pod);
    this.#later(this.#chance.between(50, 3_000), 'a container starts again', () => this.#run(pod));
  }

  #reconcile(): void {
    const { api, timeline } = this.#options.world;
    const deployment = api.objects(places.deployments)[0] as unknown as DeploymentObject | undefined;
    if (deployment === undefined) return;
    const { template, replicas } = deployment.spec;
    const hash = JSON.stringify(template);
    const active = this.pods.filter(({ isActive }) => isActive);
    const plan = plannedPods(active, { hash, replicas, nowMs: timeline.nowMs });
    for (const pod of plan.leaving) this.#stop(pod);
    for (let i = 0; i < plan.coming; i += 1) this.#create(template, hash);
    this.#tellStatus(deployment, hash);
  }

  #tellStatus({ metadata }: DeploymentObject, hash: string): void {
    const active = this.pods.filter(({ isActive }) => isActive);
    const status = {
      observedGeneration: metadata.generation,
      replicas: active.length,
      readyReplicas: active.filter(({ isReady }) => isReady).length,
      updatedReplicas: active.filter((pod) => pod.hash === hash).length,
    };
    const text = JSON.stringify({ status });
    if (text === this.#statusText) return;
    this.#statusText = text;
    const path = objectPath(resources.deployments, { namespace, name: poolName }, 'status');
    this.#call({ method: 'PATCH', path, body: text, contentType: 'application/merge-patch+json' });
  }

  #create(template: PodTemplate, hash: string): void {
    const { api, timeline, faults } = this.#options.world;
    const name = `${poolName}-${(this.#made += 1)}`;
    const { labels } = template.metadata;
    const path = collectionPath(resources.pods, namespace);
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec: {} });
    const answer = api.handle({ method: 'POST', path, body });
    if (answer.status !== 201) throw new Error(`the pod was refused: ${answer.body}`);
    const { uid } = (JSON.parse(answer.body) as { metadata: { uid: string } }).metadata;
    const pod = new SimulatedPod({ name, uid }, template, { hash, createdAtMs: timeline.nowMs });
    this.#pods.set(uid, pod);
    const late = faults.strike('PodStartsLate', name);
    const usualMs = this.#options.swarm.startMs * (0.5 + this.#chance.next());
    const startMs = late === undefined ? usualMs : faults.size(late, 1_000, 40_000);
    this.#later(startMs, `${name} starts`, () => this.#run(pod));
    this.#planFate(pod);
  }

  /** Pods die by themselves now and then. */
  #planFate(pod: SimulatedPod): void {
    const { faults } = this.#options.world;
    const evicted = faults.strike('PodEvicted', pod.name);
    if (evicted !== undefined) this.#later(faults.size(evicted, 0, 20_000), 'a pod is evicted', () => this.#evict(pod));
    const vanishes = faults.strike('PodVanishes', pod.name);
    if (vanishes !== undefined)
      this.#later(faults.size(vanishes, 0, 20_000), 'a node is lost', () => this.lose(pod.uid));
  }

  /** The node needs its memory: the containers are killed, and the pod stays as one that failed. */
  #evict(pod: SimulatedPod): void {
    if (!pod.isActive) return;
    pod.hasEnded = true;
    this.#kill(pod);
    this.#tell(pod);
  }

  #run(pod: SimulatedPod): void {
    if (!pod.isActive || pod.worker !== undefined) return;
    const { fleet, swarm, world } = this.#options;
    const { concurrency: slots } = swarm;
    pod.worker = fleet.startWorker({ podUid: pod.uid, slots, prefetch: slots }, this);
    pod.readyAtMs = world.timeline.nowMs;
    this.#tell(pod);
  }

  /** As a ReplicaSet lets a pod go and a kubelet ends it: asked first, killed after its grace. */
  #stop(pod: SimulatedPod): void {
    const { timeline, oracle } = this.#options.world;
    pod.askedAtMs = timeline.nowMs;
    this.#call(pod.deletionPatch(new Date(Math.floor(epochMs + timeline.nowMs)).toISOString()));
    if (pod.worker === undefined) {
      this.#remove(pod);
      return;
    }
    oracle.coverage.add(pod.worker.busy > 0 ? 'Busy pod' : 'Idle pod', 'Asked to stop');
    timeline.tell('kubelet', () => `asks ${pod.name} to stop, which has ${pod.worker?.busy ?? 0} tasks`);
    pod.worker.drain(pod.drainMs, () => this.#judgeEnd(pod));
    this.#later(pod.graceMs, `the grace of ${pod.name} is over`, () => {
      this.#judgeEnd(pod);
      this.#kill(pod);
    });
  }

  #judgeEnd({ worker, askedAtMs, name }: SimulatedPod): void {
    const { judge, world } = this.#options;
    if (worker === undefined || askedAtMs === undefined) return;
    judge.stops({ name, busy: worker.busy, afterMs: world.timeline.nowMs - askedAtMs });
  }

  #kill(pod: SimulatedPod): void {
    if (pod.worker?.actor.isDead === false) pod.worker.kill();
  }

  #remove(pod: SimulatedPod): void {
    if (pod.exists) this.#take(pod, () => undefined);
  }

  /** Takes the pod's object away. */
  #take(pod: SimulatedPod, then: () => void): void {
    pod.isTaken = true;
    this.#call(pod.deletion, () => {
      pod.exists = false;
      this.wake();
      then();
    });
  }

  #later(ms: number, what: string, run: () => void): void {
    this.#options.world.timeline.in(ms, this.#actor, what, run);
  }

  /** How the pod stands when the API server hears of it, which may be long after it changed. */
  #tell(pod: SimulatedPod): void {
    const { apiServer } = this.#options.world;
    if (apiServer.isUp) this.#call(pod.statusPatch, () => this.wake());
    else this.#later(apiAgainMs, 'calls the API server again', () => this.#tell(pod));
  }

  /** As controllers and kubelets do: again, until the API server takes it or says that the object is gone. */
  #call(request: KubeRequest, then: () => void = () => undefined): void {
    const { api, apiServer } = this.#options.world;
    if (!apiServer.isUp) {
      this.#later(apiAgainMs, 'calls the API server again', () => this.#call(request, then));
      return;
    }
    const { status, body } = api.handle(request);
    if (status >= 300 && status !== 404) throw new Error(`${request.method} ${request.path}: ${body}`);
    then();
  }
}
