import type { RunKey } from '#io/runs/run-store.ts';
import { createSecret, deleteSecret, touchSecret } from './actors/connection-secret.ts';
import type { Leading } from './actors/leadership.ts';
import type { SimulatedOperator } from './actors/simulated-operator.ts';
import type { WorkerFleet } from './actors/worker-fleet.ts';
import { Actor } from './kernel/actor.ts';
import { hashOf } from './kernel/chance.ts';
import { disasterKinds, type DisasterKind } from './kernel/faults.ts';
import type { FakeRedis, Remains } from './servers/fake-redis.ts';
import type { RedisData } from './servers/redis-data.ts';
import type { Surroundings } from './surroundings.ts';

/** Whom disasters strike. */
interface Stricken extends Surroundings {
  readonly leadership: Leading;
  readonly fleet: WorkerFleet;
}

/** What strikes at moments of its own: processes that stop, servers that go away and forget. */
export class Disasters {
  readonly #world: Stricken;
  readonly #actor = new Actor('fate');
  readonly #returns = new Set<() => void>();

  constructor(world: Stricken) {
    this.#world = world;
  }

  plan(): void {
    for (const kind of disasterKinds) {
      const count = this.#world.faults.strengthOf(kind);
      for (let i = 0; i < count; i += 1) this.#planOne(kind, i);
    }
  }

  /** Whatever is away comes back now. */
  end(): void {
    for (const comeBack of this.#returns) comeBack();
  }

  #planOne(kind: DisasterKind, i: number): void {
    const { timeline, faults, options, swarm } = this.#world;
    const key = `${kind}!${i}`;
    if (options.only !== undefined && !options.only.has(key)) return;
    // Spread evenly over orders of magnitude: runs take from milliseconds to minutes.
    const share = hashOf(key, options.seed) / 4_294_967_296;
    const atMs = Math.exp(Math.log(5) + share * Math.log(swarm.faultsEndMs / 5));
    timeline.at(atMs, this.#actor, key, () => {
      if (faults.isQuiet) return;
      faults.struck.push({ key, atMs: timeline.nowMs });
      this.#strike(kind, key);
    });
  }

  #strike(kind: DisasterKind, key: string): void {
    const ms = (least: number, most: number): number => this.#world.faults.size(`${key}/ms`, least, most);
    const { leadership, api } = this.#world;
    const strikes: Record<DisasterKind, () => void> = {
      OperatorCrash: () => this.#onOperator(key, (operator) => leadership.crash(operator, ms(10, 8_000))),
      OperatorPause: () => this.#onOperator(key, (operator) => leadership.pause(operator, ms(20, 20_000))),
      TwoLeaders: () => leadership.second(ms(100, 30_000)),
      SecretTouched: () => touchSecret(api, this.#world.timeline.nowMs),
      SecretGone: () => this.#secretGone(ms(10, 20_000)),
      ApiOutage: () => this.#apiOutage(ms(100, 20_000)),
      ApiCompaction: () => api.compact(),
      RedisOutage: () => this.#redisAway(ms(10, 20_000), 'All', key),
      RedisRestart: () => this.#redisAway(ms(1, 100), 'All', key),
      RedisTailLost: () => this.#redisAway(ms(10, 5_000), 'Synced', key),
      RedisFailover: () => this.#redisAway(ms(10, 5_000), 'Replicated', key),
      RedisWiped: () => this.#redisAway(ms(10, 5_000), 'Nothing', key),
      RedisFull: () => this.#broken(this.#redisOf(key), 'Full', ms(10, 20_000)),
      RedisReadonly: () => this.#broken(this.#redisOf(key), 'Readonly', ms(10, 20_000)),
      RedisHangs: () => this.#broken(this.#redisOf(key), 'Hangs', ms(10, 20_000)),
      RunLost: () => this.#keyLost(key, (runs, { uid }) => runs.lose(uid)),
      ValuesLost: () => this.#keyLost(key, (runs, { uid }) => runs.loseResults(uid)),
      OutboxLost: () => this.#keyLost(key, (runs, run) => loseOutbox(runs, run)),
      BrokerAway: () => this.#brokerAway(key, ms(60_000, 200_000)),
    };
    strikes[kind]();
  }

  #onOperator(key: string, strike: (operator: SimulatedOperator) => void): void {
    const { operators, faults } = this.#world;
    const leading = operators.filter((each) => each.isLeading && each.actor.state === 'Alive');
    const some = leading.length > 0 ? leading : operators.filter((each) => each.actor.state === 'Alive');
    const operator = some[faults.size(`${key}/who`, 0, Math.max(0, some.length - 1))];
    if (operator !== undefined) strike(operator);
  }

  #secretGone(ms: number): void {
    const { api, swarm } = this.#world;
    deleteSecret(api);
    this.#later(ms, 'the Secret is back', () => createSecret(api, swarm.isElsewhere));
  }

  #apiOutage(ms: number): void {
    const { api, apiServer, timeline } = this.#world;
    apiServer.isUp = false;
    apiServer.incarnation += 1;
    api.cut();
    this.#later(ms, 'the API server is back', () => (apiServer.isUp = true));
    timeline.tell('fate', () => 'the API server is away');
  }

  #redisAway(ms: number, remains: Remains, key: string): void {
    const { faults, oracle, fleet } = this.#world;
    const redis = this.#redisOf(key);
    this.#away(redis, ms, () => {
      redis.start(remains, faults.size(`${key}/lag`, 10, 3_000));
      if (remains === 'All') return;
      oracle.lost();
      fleet.remember();
    });
  }

  #away(redis: FakeRedis, ms: number, start: () => void): void {
    const { home, hints, operators } = this.#world;
    if (!redis.isUp) return;
    redis.stop();
    if (redis === home) hints.cut();
    for (const operator of operators) operator.connectionBroke();
    this.#later(ms, `${redis.actor.name} is back`, start);
  }

  /** One key of one run is gone, as by eviction or a hand on the keyboard. A head without slots is no run, as is no head. */
  #keyLost(key: string, lose: (runs: RedisData['runs'], run: RunKey) => void): void {
    const { home, faults, oracle } = this.#world;
    const runs = [...home.data.runs.snapshot().registry].map(([run48, uid]) => ({ run48, uid }));
    const run = runs[faults.size(`${key}/run`, 0, Math.max(0, runs.length - 1))];
    if (run === undefined || !home.isUp) return;
    home.change((data) => lose(data.runs, run));
    oracle.lost();
  }

  #redisOf(key: string): FakeRedis {
    const { home, broker, faults } = this.#world;
    return faults.size(`${key}/which`, 0, 2) === 0 ? broker : home;
  }

  /** It is there, and does not do what it is asked. */
  #broken(redis: FakeRedis, how: 'Full' | 'Readonly' | 'Hangs', ms: number): void {
    if (how === 'Hangs') redis.isHanging = true;
    else redis.refused = how === 'Full' ? 'Growth' : 'Writes';
    this.#world.timeline.tell('fate', () => `${redis.actor.name}: ${how}`);
    this.#later(ms, `${redis.actor.name} is well`, () => {
      redis.isHanging = false;
      redis.refused = undefined;
    });
  }

  /** Longer than anybody waits: what does not need the broker goes on meanwhile. */
  #brokerAway(key: string, ms: number): void {
    const { broker, faults } = this.#world;
    const how = (['Refused', 'Hangs', 'Full', 'Readonly'] as const)[faults.size(`${key}/how`, 0, 3)]!;
    this.#world.oracle.coverage.add('Broker away', how);
    if (how === 'Refused') this.#away(broker, ms, () => broker.start('All'));
    else this.#broken(broker, how, ms);
  }

  #later(ms: number, what: string, comeBack: () => void): void {
    const once = (): void => {
      if (this.#returns.delete(once)) comeBack();
    };
    this.#returns.add(once);
    this.#world.timeline.in(ms, this.#actor, what, once);
  }
}

function loseOutbox(runs: RedisData['runs'], run: RunKey): void {
  void runs.clearOutbox(run, runs.snapshot().runs.get(run.uid)?.outbox ?? []);
}
