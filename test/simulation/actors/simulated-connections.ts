import type { ConnectionRef, ConnectionState, OpenConnection } from '#operator/connections/connection-state.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Timeline } from '../kernel/timeline.ts';
import type { FakeRedis } from '../servers/fake-redis.ts';

export interface ConnectionsOptions {
  readonly timeline: Timeline;
  readonly actor: Actor;
  readonly ref: ConnectionRef;
  readonly home: FakeRedis;
  readonly broker: FakeRedis;
}

const probeMs = 5;
const againMs = 1_000;

/** The connections of one operator: open after a probe, broken when their Redis goes away, then opened anew. */
export class SimulatedConnections {
  readonly #options: ConnectionsOptions;
  readonly #listeners = new Set<(ref: ConnectionRef) => void>();
  #state: ConnectionState = { state: 'Opening' };
  #isAsked = false;
  #isClosed = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  get({ name }: ConnectionRef): ConnectionState {
    if (name !== this.#options.ref.name) {
      return {
        state: 'Failed',
        failure: { reason: 'ConnectionNotFound', message: 'there is no such Secret' },
      };
    }
    if (!this.#isAsked) {
      this.#isAsked = true;
      this.#probe(probeMs);
    }
    return this.#state;
  }

  listReady(): readonly OpenConnection[] {
    return this.#state.state === 'Ready' ? [this.#state.connection] : [];
  }

  subscribe(listener: (ref: ConnectionRef) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A Redis of it went away. */
  broke(): void {
    if (this.#state.state !== 'Ready' || this.#isClosed) return;
    this.#options.timeline.in(1, this.#options.actor, 'connection broke', () => {
      this.#become({ state: 'Opening' });
      this.#probe(probeMs);
    });
  }

  close(): void {
    this.#isClosed = true;
  }

  #probe(delayMs: number): void {
    const { timeline, actor, home, broker } = this.#options;
    timeline.in(delayMs, actor, 'probe', () => {
      if (this.#isClosed) return;
      if (home.isUp && broker.isUp) this.#become({ state: 'Ready', connection: this.#opened() });
      else this.#probe(againMs);
    });
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(this.#options.ref);
  }

  #opened(): OpenConnection {
    const { ref, home, broker } = this.#options;
    const address = { host: 'redis', port: 6379, db: 0 };
    const settings = { keyPrefix: '', resultKeyPrefix: '', operatorBroker: address, operatorResults: address };
    const servers = { brokerRunId: broker.runId, resultsRunId: home.runId };
    return { ref, settings, version: '1', ...servers } as unknown as OpenConnection;
  }
}
