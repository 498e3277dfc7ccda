import type { Holding } from '#io/brokers/broker.ts';
import type { TakenMessages } from '#io/redis/read-depths.ts';
import type { KubeRequest } from '#io/kube/client.ts';
import type { KubeObject } from '#io/kube/object.ts';
import type { DepthQuestion, DepthReader } from '#operator/depths/depth-poller.ts';
import type { DepthReading } from '#operator/depths/depth-reading.ts';
import type { Undertaker } from '#operator/depths/gone-pods.ts';
import type { TermSurroundings } from '#operator/term-parts.ts';
import type { WorkerFleet } from '../actors/worker-fleet.ts';
import { Actor } from '../kernel/actor.ts';
import type { Chance } from '../kernel/chance.ts';
import type { Link } from '../kernel/link.ts';
import { PoolJudge } from '../oracle/pool-judge.ts';
import { UnreadJudge } from '../oracle/unread-judge.ts';
import type { FakeRedis } from '../servers/fake-redis.ts';
import type { Surroundings } from '../surroundings.ts';
import { SimulatedCluster } from './cluster.ts';
import { boundsEdit, poolCreation, queueCreation, queueName } from './pool-objects.ts';
import type { PoolPorts } from './pool-ports.ts';
import type { PoolSwarm } from './pool-swarm.ts';

/** Wrong readers of depths, as planted bugs bring them. */
export type ReaderPlant = (read: DepthReader) => DepthReader;

/** What a pool adds to a world: its objects, the cluster that makes pods of them, its author, and who judges it. */
export class PoolWorld implements PoolPorts {
  readonly judge: PoolJudge;
  readonly cluster: SimulatedCluster;
  readonly #world: Surroundings;
  readonly #swarm: PoolSwarm;
  readonly #chance: Chance;
  readonly #author = new Actor('author');
  readonly #plant: ReaderPlant;
  #editsLeft: number;

  constructor(world: Surroundings, swarm: PoolSwarm, { fleet, plant }: { fleet: WorkerFleet; plant: ReaderPlant }) {
    this.#world = world;
    this.#swarm = swarm;
    this.#chance = world.chance.split('pool');
    this.#plant = plant;
    this.#editsLeft = swarm.edits;
    this.judge = new PoolJudge(world, swarm);
    this.cluster = new SimulatedCluster({ world, swarm, fleet, judge: this.judge });
  }

  /** Creates the objects, the queue perhaps late, and has a look at all that becomes of them. */
  begin(connection: string): void {
    const { api, swarm, timeline } = this.#world;
    const { onChanged } = api;
    api.onChanged = (type, object, before) => {
      onChanged(type, object, before);
      if (object.kind === 'Deployment') this.cluster.wake();
      if (object.kind === 'Pod') this.#podChanged(type, object);
      this.judge.changed(type, object);
    };
    this.#handle(poolCreation(this.#swarm));
    timeline.at(swarm.queueComesLate ? 3_000 : 0, this.#author, 'creates the queue', () =>
      this.#handle(queueCreation(connection)),
    );
    for (let i = 0; i < this.#swarm.edits; i += 1) this.#editLater();
    const { judge } = this;
    new UnreadJudge(this.#world, { lastReadAtMs: () => judge.lastReadAtMs, shown: () => judge.shown }).begin();
  }

  #podChanged(type: string, object: KubeObject): void {
    if (type === 'DELETED') this.cluster.deleted(object.metadata.uid ?? '');
    else this.cluster.changed(object);
  }

  get isSettled(): boolean {
    const leading = this.#world.operators.filter(({ isLeading }) => isLeading);
    return this.#editsLeft === 0 && leading.length === 1 && this.judge.isSettled(this.cluster.pods);
  }

  describe(): string {
    return this.judge.describe(this.cluster.pods);
  }

  termPorts(client: Actor, linkTo: (server: FakeRedis) => Link): NonNullable<TermSurroundings['ports']> {
    const { broker, home } = this.#world;
    const toBroker = linkTo(broker);
    const toHome = broker === home ? toBroker : linkTo(home);
    return {
      pollEveryMs: this.#swarm.pollEveryMs,
      read: this.#plant((_, question) => this.#read(question, { client, toBroker, toHome })),
      undertakerOf: () => this.#undertaker(toBroker),
    };
  }

  async #read(
    question: DepthQuestion,
    { client, toBroker, toHome }: { client: Actor; toBroker: Link; toHome: Link },
  ): Promise<DepthReading> {
    const [depths, held] = await Promise.all([
      toBroker.call('read depths', () => this.#depths(question, client)),
      question.held === undefined ? toHome.call('read the ledger', () => this.#ledger()) : question.held,
    ]);
    const reading = { ...depths, held: new Map(question.queues.map((queue) => [queue, held.get(queue) ?? 0])) };
    this.judge.read(client, reading);
    return reading;
  }

  async #depths({ queues, podUids }: DepthQuestion, client: Actor): Promise<Omit<DepthReading, 'held'>> {
    const { faults, broker } = this.#world;
    if (faults.strike('DepthsRefused', client.name) !== undefined) throw new Error('OOM command not allowed');
    const isUnknown = faults.strike('TakenUnknown', client.name) !== undefined;
    const waiting = new Map(queues.map((queue) => [queue, broker.data.broker.count(queue)]));
    const leases = this.cluster.leases(podUids);
    const taken = takenOf(await broker.data.broker.holdings());
    return { waiting, leases, ...(isUnknown ? {} : { taken }) };
  }

  #ledger(): ReadonlyMap<string, number> {
    const { oracle, home } = this.#world;
    const keys = oracle.cases.flatMap(({ uid }) => oracle.keyOf(uid) ?? []);
    const held = keys.reduce((sum, { uid, run48 }) => sum + home.data.runs.held(uid, run48, queueName), 0);
    return new Map([[queueName, held]]);
  }

  #undertaker(toBroker: Link): Undertaker {
    const { broker } = this.#world;
    return {
      hasLease: (incarnation) => toBroker.call('look for a lease', () => this.cluster.hasLease(incarnation)),
      retire: (podUid) => toBroker.call('retire', () => broker.change(({ broker: queues }) => queues.retire(podUid))),
    };
  }

  #editLater(): void {
    const { swarm, timeline } = this.#world;
    const afterMs = this.#chance.between(1, swarm.faultsEndMs);
    timeline.in(afterMs, this.#author, 'edits the pool', () => {
      const minReplicas = this.#chance.pick([0, 0, 1, 2]);
      this.#editsLeft -= 1;
      this.#handle(boundsEdit(minReplicas, Math.max(1, minReplicas + this.#chance.between(0, 3))));
    });
  }

  #handle(request: KubeRequest): void {
    const { status, body } = this.#world.api.handle(request);
    if (status >= 300) throw new Error(`${request.method} ${request.path}: ${body}`);
  }
}

function takenOf(holdings: readonly Holding[]): readonly TakenMessages[] {
  const counts = new Map<string, TakenMessages>();
  for (const { incarnation, queue } of holdings) {
    if (incarnation === undefined || queue === undefined) continue;
    const dot = incarnation.lastIndexOf('.');
    const key = `${incarnation}:${queue}`;
    const count = (counts.get(key)?.count ?? 0) + 1;
    counts.set(key, {
      podUid: incarnation.slice(0, dot),
      incarnation: Number(incarnation.slice(dot + 1)),
      queue,
      count,
    });
  }
  return [...counts.values()];
}
