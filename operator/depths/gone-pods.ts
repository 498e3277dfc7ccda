import type { Log } from '#core/base/log.ts';
import type { Timers } from '#core/base/timers.ts';
import { BrokerKeys } from '#io/brokers/broker-keys.ts';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import type { Reflector } from '#io/kube/reflector.ts';
import { processTimers } from '#io/process-timers.ts';
import type { ConnectionRegistry } from '../connections/connection-registry.ts';
import type { OpenConnection } from '../connections/connection-state.ts';
import { isEndedPod } from '../observed/pod-facts.ts';
import type { Pod } from '../observed/observed-objects.ts';
import { podUidGroup } from '../observed/reflectors.ts';
import type { DepthChange, DepthPoller } from './depth-poller.ts';

export interface GonePodsOptions {
  readonly connections: ConnectionRegistry;
  readonly depths: DepthPoller;
  readonly pods: Reflector<Pod>;
  readonly log: Log;
  /** Default: the connection's Redis. */
  readonly undertakerOf?: ((connection: OpenConnection) => Undertaker) | undefined;
  /** Default: those of the process. */
  readonly timers?: Timers | undefined;
}

/** What is asked and done about dead workers where their messages are. */
export interface Undertaker {
  /** Whether a worker, by `<pod UID>.<n>`, has renewed its lease of late. */
  hasLease(incarnation: string): Promise<boolean>;
  /** Hands back whatever workers of this pod hold; resolves to how many messages. */
  retire(podUid: string): Promise<number>;
}

/** A pod that nobody knows has this long to turn up: its report may be on its way. */
const unknownForMs = 3_000;

/**
 * Hands the messages of dead workers back to their queues. A pod is gone when the cluster says so: it was deleted, or its
 * containers have ended for good. Of what happened while nobody looked, the messages tell: a pod that holds some, that
 * the cluster does not know and whose worker has stopped renewing its lease is gone, too.
 */
export class GonePods {
  readonly #options: GonePodsOptions;
  readonly #timers: Timers;
  readonly #stops: (() => void)[];
  /** Since when a pod with messages has not been known, by connection and UID. */
  readonly #unknownSinceMs = new Map<string, number>();
  readonly #retiring = new Set<string>();
  /** A broker follows its client for as long as that lives, so each client has one. */
  readonly #undertakers = new WeakMap<OpenConnection, Undertaker>();

  constructor(options: GonePodsOptions) {
    this.#options = options;
    this.#timers = options.timers ?? processTimers;
    this.#stops = [
      options.pods.subscribe(({ object, previous }) => {
        if (object !== undefined && !isEndedPod(object)) return;
        if (previous !== undefined || object !== undefined) this.#retireEverywhere(object ?? previous);
      }),
      options.depths.subscribe((change) => this.#lookFor(change)),
    ];
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  /** A pod serves one connection of its namespace; which one is not known any more, and there are few. */
  #retireEverywhere(pod: Pod | undefined): void {
    const { uid, namespace } = pod?.metadata ?? {};
    if (uid === undefined) return;
    for (const connection of this.#options.connections.listReady()) {
      if (connection.ref.namespace === namespace) void this.#retire(connection, uid);
    }
  }

  #lookFor({ ref, reading }: DepthChange): void {
    const state = this.#options.connections.get(ref);
    if (state.state !== 'Ready') return;
    const nowMs = this.#timers.nowMs();
    const holders = new Set(reading?.taken?.map(({ podUid, incarnation }) => `${podUid}.${String(incarnation)}`));
    this.#forgetOthers(`${ref.namespace}/${ref.name}/`, holders);
    for (const incarnation of holders) {
      const uid = incarnation.slice(0, incarnation.lastIndexOf('.'));
      const key = `${ref.namespace}/${ref.name}/${incarnation}`;
      const [pod] = this.#options.pods.group(podUidGroup(uid));
      if (pod !== undefined && !isEndedPod(pod)) this.#unknownSinceMs.delete(key);
      else if (!this.#unknownSinceMs.has(key)) this.#unknownSinceMs.set(key, nowMs);
      else if (nowMs - (this.#unknownSinceMs.get(key) ?? nowMs) > unknownForMs) {
        this.#unknownSinceMs.delete(key);
        void this.#retireIfSilent(state.connection, uid, incarnation);
      }
    }
  }

  /** Those that hold nothing any more need no watching. */
  #forgetOthers(prefix: string, holders: ReadonlySet<string>): void {
    for (const key of this.#unknownSinceMs.keys()) {
      if (key.startsWith(prefix) && !holders.has(key.slice(prefix.length))) this.#unknownSinceMs.delete(key);
    }
  }

  /** A worker that renews its lease lives, whether or not we can see its pod: outside the cluster, say. */
  async #retireIfSilent(connection: OpenConnection, uid: string, incarnation: string): Promise<void> {
    try {
      if (!(await this.#undertakerOf(connection).hasLease(incarnation))) await this.#retire(connection, uid);
    } catch (error) {
      this.#options.log.debug({ ...connection.ref, err: error }, 'the lease of a worker could not be read');
    }
  }

  async #retire(connection: OpenConnection, uid: string): Promise<void> {
    const { ref } = connection;
    const key = `${ref.namespace}/${ref.name}/${uid}`;
    if (this.#retiring.has(key)) return;
    this.#retiring.add(key);
    try {
      const moved = await this.#undertakerOf(connection).retire(uid);
      if (moved > 0)
        this.#options.log.info({ ...ref, podUid: uid, messages: moved }, 'handed back what a dead worker held');
    } catch (error) {
      // The next readings find what is left.
      this.#options.log.warn({ ...ref, podUid: uid, err: error }, 'could not hand back what a dead worker held');
    } finally {
      this.#retiring.delete(key);
    }
  }

  #undertakerOf(connection: OpenConnection): Undertaker {
    const known = this.#undertakers.get(connection);
    if (known !== undefined) return known;
    const undertaker = (this.#options.undertakerOf ?? undertakerOnRedis)(connection);
    this.#undertakers.set(connection, undertaker);
    return undertaker;
  }
}

function undertakerOnRedis({ broker, settings }: OpenConnection): Undertaker {
  const prefix = settings.keyPrefix;
  const keys = new BrokerKeys(prefix);
  const overseer = new RedisBroker({ client: broker, prefix });
  return {
    hasLease: async (incarnation) => (await broker.exists(keys.lease(incarnation))) === 1,
    retire: (podUid) => overseer.retire(podUid),
  };
}
