import { objectPath, resources } from '#io/kube/resource.ts';
import type { KubeRequest } from '#io/kube/client.ts';
import type { SimulatedWorker } from '../actors/simulated-worker.ts';
import { namespace } from '../surroundings.ts';
import type { RankedPod } from './scale-down-order.ts';

/** Of a pod template, what a kubelet and a ReplicaSet need. */
export interface PodTemplate {
  readonly metadata: { readonly labels: object; readonly annotations?: object };
  readonly spec: {
    readonly terminationGracePeriodSeconds: number;
    readonly containers: readonly { readonly env: readonly { readonly name: string; readonly value?: string }[] }[];
  };
}

/** A pod as its kubelet knows it. */
export class SimulatedPod {
  readonly name: string;
  readonly uid: string;
  readonly template: PodTemplate;
  /** Of the template, to tell old pods from new ones. */
  readonly hash: string;
  readonly createdAtMs: number;
  worker: SimulatedWorker | undefined;
  readyAtMs: number | undefined;
  restarts = 0;
  /** As its object says by `controller.kubernetes.io/pod-deletion-cost`. */
  deletionCost = 0;
  /** Its object is there, perhaps on its way out. */
  exists = true;
  /** The cluster itself takes its object away. */
  isTaken = false;
  /** When it was asked to stop. */
  askedAtMs: number | undefined;
  /** Its containers have ended for good. */
  hasEnded = false;
  /** What the worker last said of itself, for as long as its lease lasts after its death. */
  lease: { readonly busy: number; readonly n: number; readonly untilMs: number } | undefined;

  constructor(
    identity: { readonly name: string; readonly uid: string },
    template: PodTemplate,
    { hash, createdAtMs }: { readonly hash: string; readonly createdAtMs: number },
  ) {
    this.name = identity.name;
    this.uid = identity.uid;
    this.template = template;
    this.hash = hash;
    this.createdAtMs = createdAtMs;
  }

  /** Counts among the replicas. */
  get isActive(): boolean {
    return this.exists && !this.hasEnded && this.askedAtMs === undefined;
  }

  get isReady(): boolean {
    return this.isActive && this.readyAtMs !== undefined;
  }

  get graceMs(): number {
    return this.template.spec.terminationGracePeriodSeconds * 1_000;
  }

  /** How long the worker itself goes on, once it is asked to stop. */
  get drainMs(): number {
    const [container] = this.template.spec.containers;
    return Number(container?.env.find(({ name }) => name === 'ARPEGGIO_DRAIN_SECONDS')?.value ?? 0) * 1_000;
  }

  rankAt(nowMs: number): RankedPod & { readonly pod: SimulatedPod } {
    const isRunning = this.worker !== undefined;
    return {
      ...{
        pod: this,
        uid: this.uid,
        isScheduled: isRunning,
        isRunning,
        isReady: this.isReady,
        restarts: this.restarts,
      },
      deletionCost: this.deletionCost,
      readyForMs: nowMs - (this.readyAtMs ?? nowMs),
      ageMs: nowMs - this.createdAtMs,
    };
  }

  /** What its kubelet tells of it. */
  get statusPatch(): KubeRequest {
    const isReady = this.readyAtMs !== undefined && !this.hasEnded;
    const state = isReady ? { running: {} } : { waiting: { reason: 'ContainerCreating' } };
    const started = this.worker !== undefined;
    const status = {
      phase: this.hasEnded ? 'Failed' : started ? 'Running' : 'Pending',
      conditions: [
        { type: 'PodScheduled', status: 'True' },
        { type: 'Ready', status: isReady ? 'True' : 'False' },
      ],
      containerStatuses: [{ name: 'worker', restartCount: this.restarts, state }],
    };
    return this.#patch({ status }, 'status');
  }

  deletionPatch(nowText: string): KubeRequest {
    return this.#patch({ metadata: { deletionTimestamp: nowText } });
  }

  get deletion(): KubeRequest {
    return { method: 'DELETE', path: this.#path() };
  }

  #patch(body: object, subresource?: string): KubeRequest {
    const contentType = 'application/merge-patch+json';
    return { method: 'PATCH', path: this.#path(subresource), body: JSON.stringify(body), contentType };
  }

  #path(subresource?: string): string {
    return objectPath(resources.pods, { namespace, name: this.name }, subresource);
  }
}
