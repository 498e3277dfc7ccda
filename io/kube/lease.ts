import { stringifyJson } from '#core/base/json-text.ts';
import type { Timers } from '#core/base/timers.ts';
import { processTimers } from '../process-timers.ts';
import type { KubeClient, KubeRequest } from './client.ts';
import { isKubeError } from './kube-error.ts';
import { microTime } from './micro-time.ts';
import type { KubeObject, ObjectName } from './object.ts';
import { apiVersionOf, collectionPath, objectPath, resources } from './resource.ts';

interface LeaseObject extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface LeaseOptions {
  readonly client: KubeClient;
  readonly name: ObjectName;
  /** `<pod>_<unique>`: a new process in the same pod knows that the one before it is dead. */
  readonly identity: string;
  /** Whole seconds. How long a holder that says nothing is believed to be alive. */
  readonly durationSeconds: number;
  /** Milliseconds since 1970, only for people to read. Default: of this machine. */
  readonly nowMs?: () => number;
  /** By which a silent holder is judged. Default: those of the process. */
  readonly timers?: Timers;
}

/**
 * One holder at a time, by a Lease object. A foreign holder is judged by how long *we* have not seen it renew, never by
 * comparing its clock with ours. Writes carry the resourceVersion they were computed from, so two can never both win.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #timers: Timers;
  #known: LeaseObject | undefined;
  #seenAtMs = 0;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#timers = options.timers ?? processTimers;
  }

  /** Whether we hold it now: because it was free, or its holder went silent, or it was ours. Throws `KubeError`. */
  async tryAcquire(): Promise<boolean> {
    await this.#read();
    if (!this.#isFree()) return false;
    const transitions = this.#known?.spec?.leaseTransitions ?? -1;
    const now = this.#timeText();
    return this.#write({ ...this.#held(now), acquireTime: now, leaseTransitions: transitions + 1 });
  }

  /** Whether we still hold it. Throws `KubeError` when that could not be found out. */
  async renew(): Promise<boolean> {
    const { acquireTime, leaseTransitions } = this.#known?.spec ?? {};
    const renewed = {
      ...this.#held(this.#timeText()),
      ...(acquireTime === undefined ? {} : { acquireTime }),
      ...(leaseTransitions === undefined ? {} : { leaseTransitions }),
    };
    if (await this.#write(renewed)) return true;
    // Someone wrote in between; whoever merely edited a label did not take it from us.
    await this.#read();
    return this.#known?.spec?.holderIdentity === this.#options.identity && (await this.#write(renewed));
  }

  /** Gives it up, so that the next holder need not wait. */
  async release(): Promise<void> {
    if (this.#known?.spec?.holderIdentity !== this.#options.identity) return;
    await this.#write({
      ...this.#known.spec,
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: this.#timeText(),
    });
  }

  #held(now: string): NonNullable<LeaseObject['spec']> {
    const { identity, durationSeconds } = this.#options;
    return { holderIdentity: identity, leaseDurationSeconds: durationSeconds, renewTime: now };
  }

  #timeText(): string {
    const { nowMs = Date.now } = this.#options;
    return microTime(nowMs());
  }

  #isFree(): boolean {
    const holder = this.#known?.spec?.holderIdentity ?? '';
    if (holder === '' || podOf(holder) === podOf(this.#options.identity)) return true;
    const believedMs = (this.#known?.spec?.leaseDurationSeconds ?? this.#options.durationSeconds) * 1000;
    return this.#timers.nowMs() - this.#seenAtMs > believedMs;
  }

  async #read(): Promise<void> {
    const request = { method: 'GET', path: objectPath(resources.leases, this.#options.name) } as const;
    try {
      this.#see(JSON.parse(await this.#call(request)) as LeaseObject);
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
      this.#known = undefined;
    }
  }

  #see(lease: LeaseObject): void {
    if (lease.metadata.resourceVersion !== this.#known?.metadata.resourceVersion) this.#seenAtMs = this.#timers.nowMs();
    this.#known = lease;
  }

  /** Whether the write was accepted; a conflict means that someone else spoke first. */
  async #write(spec: NonNullable<LeaseObject['spec']>): Promise<boolean> {
    const { name } = this.#options;
    const metadata = this.#known?.metadata ?? name;
    const body = stringifyJson({
      apiVersion: apiVersionOf(resources.leases),
      kind: resources.leases.kind,
      metadata,
      spec,
    });
    try {
      const text = await (this.#known === undefined
        ? this.#call({ method: 'POST', path: collectionPath(resources.leases, name.namespace), body })
        : this.#call({ method: 'PUT', path: objectPath(resources.leases, name), body }));
      this.#see(JSON.parse(text) as LeaseObject);
      return true;
    } catch (error) {
      if (isKubeError(error, 'Conflict') || isKubeError(error, 'AlreadyExists')) return false;
      throw error;
    }
  }

  #call(request: KubeRequest): Promise<string> {
    return this.#options.client.call({ ...request, lane: 'lease' });
  }
}

function podOf(identity: string): string {
  return identity.replace(/_[^_]*$/, '');
}
