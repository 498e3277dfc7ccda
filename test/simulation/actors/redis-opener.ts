import { fail, ok } from '#core/base/result.ts';
import type { OpenConnection } from '#operator/connections/connection-state.ts';
import type { openConnection } from '#operator/connections/open-connection.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Link } from '../kernel/link.ts';
import type { Timeline } from '../kernel/timeline.ts';
import type { FakeRedis } from '../servers/fake-redis.ts';

export interface RedisOpenerOptions {
  readonly timeline: Timeline;
  readonly actor: Actor;
  readonly home: FakeRedis;
  readonly broker: FakeRedis;
  readonly linkTo: (server: FakeRedis) => Link;
}

/** Opens what a connection Secret names: clients of simulated Redis that break when it goes away. */
export class RedisOpener {
  readonly #options: RedisOpenerOptions;
  readonly #clients = new Set<RedisClient>();

  constructor(options: RedisOpenerOptions) {
    this.#options = options;
  }

  /** As `openConnection`; the databases are never anybody else's. */
  readonly open: typeof openConnection = async (ref, { settings, version }) => {
    const { home, broker } = this.#options;
    try {
      const [results, queues] = await Promise.all([this.#connect(home), this.#connect(broker)]);
      const servers = { brokerRunId: queues.runId, resultsRunId: results.runId };
      return ok({ ref, settings, version, broker: queues, results, ...servers } as unknown as OpenConnection);
    } catch {
      return fail({ reason: 'BrokerUnreachable', message: 'broker: there is no answer' });
    }
  };

  /** A Redis went away: whoever is connected to it learns so. */
  broke(): void {
    const { timeline, actor } = this.#options;
    timeline.in(1, actor, 'connection broke', () => {
      for (const client of this.#clients) if (client.status !== 'ready') this.#end(client);
    });
  }

  async #connect(server: FakeRedis): Promise<RedisClient> {
    const link = this.#options.linkTo(server);
    const runId = await link.call('connect', () => server.runId);
    const client = new RedisClient(server, runId, link);
    this.#clients.add(client);
    return client;
  }

  #end(client: RedisClient): void {
    this.#clients.delete(client);
    client.closed();
  }
}

/** What the product's keeper sees of a client of Redis. It never comes back after a break. */
class RedisClient {
  readonly runId: string;
  readonly #server: FakeRedis;
  readonly #link: Link;
  #onClose: (() => void)[] = [];
  #isOver = false;

  constructor(server: FakeRedis, runId: string, link: Link) {
    this.#server = server;
    this.runId = runId;
    this.#link = link;
  }

  get status(): 'ready' | 'end' {
    return this.#isOver || !this.#server.isUp || this.#server.runId !== this.runId ? 'end' : 'ready';
  }

  once(_event: 'close', listener: () => void): void {
    this.#onClose.push(listener);
  }

  async ping(): Promise<void> {
    const runId = await this.#link.call('ping', () => this.#server.runId);
    if (runId !== this.runId) throw new Error('the connection is broken');
  }

  disconnect(): void {
    this.#isOver = true;
  }

  closed(): void {
    this.#isOver = true;
    for (const listener of this.#onClose.splice(0)) listener();
  }
}
