import type { Log } from '#core/base/log.ts';
import type { Timers } from '#core/base/timers.ts';
import { defaultPayloadLimits } from '#core/base/payload-limits.ts';
import type { TaskQueue } from '#core/resources/task-queue.ts';
import type { WorkerPool } from '#core/resources/worker-pool.ts';
import type { Workflow } from '#core/resources/workflow.ts';
import type { Census } from '#io/brokers/census.ts';
import type { KubeClient } from '#io/kube/client.ts';
import { EventRecorder, type EventNote } from '#io/kube/event-recorder.ts';
import { Lease } from '#io/kube/lease.ts';
import type { ObjectName } from '#io/kube/object.ts';
import { Reflector } from '#io/kube/reflector.ts';
import { resources } from '#io/kube/resource.ts';
import type { ResultStore } from '#io/results/result-store.ts';
import type { RunStore } from '#io/runs/run-store.ts';
import { ConnectionRegistry } from '#operator/connections/connection-registry.ts';
import { runController, type RunningController } from '#operator/control/controller.ts';
import { leaseTimes, runLeaderGate } from '#operator/control/leader-gate.ts';
import type { ControllerDeps, ControllerSetup } from '#operator/controllers/controller-deps.ts';
import { type Reflectors, openReflectors } from '#operator/observed/reflectors.ts';
import { createWorkflowController } from '#operator/controllers/workflow-setup.ts';
import { StalledQueues } from '#operator/depths/stalled-queues.ts';
import { HomeRegistry } from '#operator/homes/home-registry.ts';
import type { ConnectionRef } from '#operator/connections/connection-state.ts';
import { RunEngine } from '#operator/runs/run-engine.ts';
import type { RunPorts } from '#operator/runs/run-ports.ts';
import type { RunSettings } from '#operator/runs/run-settings.ts';
import { openTermParts } from '#operator/term-parts.ts';
import { poolSetups, type PoolPorts } from '../pools/pool-ports.ts';
import { Actor } from '../kernel/actor.ts';
import type { Chance } from '../kernel/chance.ts';
import type { Faults } from '../kernel/faults.ts';
import { Link, type LinkOptions, type Server } from '../kernel/link.ts';
import type { Timeline } from '../kernel/timeline.ts';
import type { FakeApiServer } from '../servers/fake-api-server.ts';
import type { FakeRedis } from '../servers/fake-redis.ts';
import { linkedKubeClient } from '../servers/linked-kube-client.ts';
import {
  failures,
  linkedResults,
  linkedRunStore,
  linkedWhereabouts,
  type StoreWitness,
} from '../servers/redis-ports.ts';
import { secretHosts } from './connection-secret.ts';
import type { HintChannel } from './hint-channel.ts';
import { ObjectCopy } from './object-copy.ts';
import { RedisOpener } from './redis-opener.ts';

/** What an operator process finds around it. */
export interface OperatorSurroundings {
  readonly timeline: Timeline;
  readonly faults: Faults;
  readonly chance: Chance;
  readonly namespace: string;
  readonly connection: ConnectionRef;
  readonly home: FakeRedis;
  readonly broker: FakeRedis;
  readonly hints: HintChannel;
  readonly api: FakeApiServer;
  readonly apiServer: Server;
  readonly latencyMs: number;
  readonly showResults: boolean;
  readonly clockOffsetMs: number;
  readonly effects: LinkOptions['witness'];
  readonly store: StoreWitness;
  readonly log: Log;
  readonly noted: (note: EventNote) => void;
  /** Told when a term begins. */
  readonly began: (operator: SimulatedOperator) => void;
  /** The Lease that the gate gets; planted bugs stand between. */
  readonly lease: (lease: Lease) => Lease;
  /** Places for tasks of a queue at live workers; undefined while that is not known. */
  readonly slotsOf: (queue: string) => number | undefined;
  /** Asks workers to stop what they run. */
  readonly revoke: (ids: ReadonlySet<string>) => void;
  /** Workers are asked what they hold. */
  readonly ask: (ids: ReadonlySet<string>) => Census;
  /** Told what the engine is asked for; answers what it makes of that. */
  readonly asked: (settings: RunSettings) => RunSettings;
  /** The ports that the engine gets; planted bugs stand between. */
  readonly ports: (ports: RunPorts) => RunPorts;
  /** The same for the client of the API server. */
  readonly kube: (client: KubeClient) => KubeClient;
  /** Present where the operator scales a pool: then it follows queues, pools, Deployments and pods at the API server. */
  readonly pool?: PoolPorts | undefined;
}

interface Term {
  readonly controller: AbortController;
  readonly controllers: readonly { readonly running: RunningController; readonly setup: ControllerSetup }[];
  readonly connections: ConnectionRegistry;
  readonly parts: Parts;
}

/** What the parts of a term are made from. */
interface Shared {
  readonly connections: ConnectionRegistry;
  readonly reflectors: Reflectors;
  readonly timers: Timers;
  readonly parts: Parts;
}

type Parts = Pick<ControllerDeps, 'homes' | 'depths' | 'stalled'> & { close(): void };

/** One operator process: the product's reflector, controller and engines, and its own view of who leads. */
export class SimulatedOperator {
  readonly actor: Actor;
  readonly queues = new ObjectCopy<TaskQueue>();
  readonly pools = new ObjectCopy<WorkerPool>();
  readonly #around: OperatorSurroundings;
  readonly #client: KubeClient;
  #copies: { readonly reflectors: Reflectors; readonly synced: Promise<unknown> } | undefined;
  readonly #opener: RedisOpener;
  #recorder: EventRecorder | undefined;
  #term: Term | undefined;
  /** As far as it knows. */
  #holdsLease = false;

  constructor(name: string, around: OperatorSurroundings) {
    this.actor = new Actor(name);
    this.#around = around;
    const { home, broker } = around;
    const linkTo = (server: FakeRedis): Link => this.#linkTo(server, failures.runs);
    this.#opener = new RedisOpener({ timeline: around.timeline, actor: this.actor, home, broker, linkTo });
    const { timeline, faults, chance, api, apiServer, latencyMs } = around;
    const client = linkedKubeClient({
      ...{ timeline, faults, chance, api, latencyMs },
      client: this.actor,
      server: apiServer,
      lagMs: latencyMs * 2,
      witness: around.effects,
    });
    this.#client = around.kube(client);
  }

  start(): void {
    const { log, chance, timeline, pool } = this.#around;
    const timers = timeline.timersOf(this.actor, chance);
    const { signal } = new AbortController();
    if (pool !== undefined) {
      this.#copies = openReflectors(this.#client, { config: { watchNamespaces: [] }, log, signal, timers });
      return;
    }
    const scope = { resource: resources.workflows };
    const workflows = new Reflector<Workflow>({ client: this.#client, scope, namespaces: [], log, timers });
    const reflectors = { workflows, taskQueues: this.queues, workerPools: this.pools } as unknown as Reflectors;
    this.#copies = { reflectors, synced: workflows.synced };
    void workflows.run(signal);
  }

  get isLeading(): boolean {
    return this.#term !== undefined && !this.actor.isDead;
  }

  /** It drives the runs of a connection. */
  get hasHome(): boolean {
    return this.isLeading && (this.#term?.parts.homes.engines().length ?? 0) > 0;
  }

  /** Leads whenever it wins the Lease. */
  contend(name: ObjectName, identity: string): void {
    const { timeline, chance, log, clockOffsetMs, lease: planted } = this.#around;
    const timers = timeline.timersOf(this.actor, chance);
    const clock = timeline.clockOf(this.actor, clockOffsetMs);
    const nowMs = (): number => clock.nowMs();
    const { durationSeconds } = leaseTimes;
    const lease = planted(new Lease({ client: this.#client, name, identity, durationSeconds, nowMs, timers }));
    const copies = this.#copies;
    const lead = async (term: AbortSignal): Promise<void> => {
      const begun = copies === undefined || term.aborted ? undefined : this.#begin(copies.reflectors);
      if (begun === undefined) return;
      this.#term = begun;
      this.#around.began(this);
      await new Promise((resolve) => term.addEventListener('abort', resolve, { once: true }));
      this.#term = undefined;
      await ended(begun);
    };
    const gate = { lease, log, lead, timers };
    void copies?.synced.then(() => runLeaderGate(gate, new AbortController().signal));
  }

  /** Begins a term, once the copies of the cluster are complete. */
  lead(): void {
    const copies = this.#copies;
    this.#holdsLease = true;
    void copies?.synced.then(() => {
      if (!this.#holdsLease) return;
      this.#term ??= this.#begin(copies.reflectors);
    });
  }

  /** It has noticed that another one leads. */
  resign(): void {
    const term = this.#term;
    this.#holdsLease = false;
    this.#term = undefined;
    if (term !== undefined) void ended(term);
  }

  connectionBroke(): void {
    this.#opener.broke();
  }

  #begin(reflectors: Reflectors): Term {
    const { timeline, chance, log, namespace, pool } = this.#around;
    const controller = new AbortController();
    const { signal } = controller;
    const timers = timeline.timersOf(this.actor, chance);
    const { open } = this.#opener;
    const keeper = { client: this.#client, allowedHosts: secretHosts, mayShare: () => false, log, open, timers };
    const connections = new ConnectionRegistry(keeper, () => true);
    const parts = this.#parts(signal, { connections, reflectors, timers });
    const deps = this.#deps({ connections, reflectors, timers, parts }, signal);
    const setups = pool === undefined ? [createWorkflowController] : [...poolSetups, createWorkflowController];
    const controllers = setups.map((make) => {
      const setup = make(deps);
      const { concurrency } = setup;
      const running = runController(setup.controller, { concurrency, log, signal, timers });
      setup.wire(running);
      return { setup, running };
    });
    timeline.tell(this.actor.name, () => `leads in ${namespace}`);
    return { controller, controllers, connections, parts };
  }

  #parts(term: AbortSignal, shared: Pick<Shared, 'connections' | 'reflectors' | 'timers'>): Parts {
    const { log, pool } = this.#around;
    const common = { log, payloadLimits: defaultPayloadLimits, isLeading: () => !term.aborted };
    if (pool !== undefined) {
      const connections = shared.connections;
      const ports = {
        ...pool.termPorts(this.actor, (server) => this.#linkTo(server, failures.broker)),
        engineOn: (_: unknown, slotsOf: RunPorts['slotsOf']) => this.#engine({ ...this.#ports(term), slotsOf }),
      };
      return openTermParts({ ...common, ...shared, connections, ports });
    }
    const homes = new HomeRegistry({
      ...common,
      timers: shared.timers,
      slotsOf: (_, queue) => this.#around.slotsOf(queue),
      engineOn: () => this.#engine(this.#ports(term)),
    });
    const stalled = new StalledQueues({ subscribe: () => () => undefined }, () => shared.timers.nowMs());
    return { homes, depths: undefined as unknown as ControllerDeps['depths'], stalled, close: () => homes.close() };
  }

  #deps({ connections, reflectors, timers, parts }: Shared, term: AbortSignal): ControllerDeps {
    const { log, showResults, timeline, clockOffsetMs } = this.#around;
    const clock = timeline.clockOf(this.actor, clockOffsetMs);
    const fakes = {
      client: this.#client,
      connections,
      events: { recordEvent: (note: EventNote) => this.#record(note) },
      config: { showResults, payloadLimits: defaultPayloadLimits, workerImage: 'worker' },
    };
    return {
      ...(fakes as unknown as ControllerDeps),
      ...parts,
      reflectors,
      timers,
      log,
      nowMs: () => clock.nowMs(),
      term,
    };
  }

  #engine(ports: RunPorts): RunEngine {
    const { asked } = this.#around;
    const engine = new RunEngine(ports);
    const begin = engine.begin.bind(engine);
    engine.begin = async (order) => {
      const driver = await begin({ ...order, settings: asked(order.settings) });
      if (driver === undefined || Object.hasOwn(driver, 'configure')) return driver;
      const configure = driver.configure.bind(driver);
      driver.configure = (settings) => configure(asked(settings));
      return driver;
    };
    return engine;
  }

  #record(note: EventNote): void {
    const { timeline, chance, clockOffsetMs, log, noted } = this.#around;
    const clock = timeline.clockOf(this.actor, clockOffsetMs);
    const nowMs = (): number => clock.nowMs();
    const newId = (): string => chance.between(0, 1e15).toString(36).padStart(13, '0');
    this.#recorder ??= new EventRecorder({ client: this.#client, instance: this.actor.name, log, nowMs, newId });
    noted(note);
    this.#recorder.recordEvent(note);
  }

  #ports(term: AbortSignal): RunPorts {
    const { timeline, home, broker, chance, hints, log, clockOffsetMs } = this.#around;
    const toHome = this.#linkTo(home, failures.runs);
    const toResults = this.#linkTo(home, failures.results);
    const toBroker = this.#linkTo(broker, failures.broker);
    const store: RunStore = linkedRunStore(home, toHome, { client: this.actor, witness: this.#around.store });
    const results: ResultStore = linkedResults(home, toResults, hints.subscriptionOf(this.actor));
    return this.#around.ports({
      store,
      results,
      broker: linkedWhereabouts(broker, toBroker, this.#around),
      clock: timeline.clockOf(this.actor, clockOffsetMs),
      log,
      newTag: () => `tag-${chance.between(0, 1e15).toString(36)}`,
      slotsOf: (queue) => this.#around.slotsOf(queue),
      payloadLimits: defaultPayloadLimits,
      isLeading: () => !term.aborted,
    });
  }

  #linkTo(server: FakeRedis, failure: (why: string) => Error): Link {
    const { timeline, faults, chance, latencyMs, effects } = this.#around;
    return new Link({ timeline, faults, chance, latencyMs, client: this.actor, server, failure, witness: effects });
  }
}

/** As the product ends a term: passes first, then what they work with. */
async function ended({ controller, controllers, parts, connections }: Term): Promise<void> {
  controller.abort(new Error('the term is over'));
  await Promise.all(controllers.map(({ running }) => running.close()));
  await Promise.all(controllers.map(({ setup }) => setup.close()));
  parts.close();
  connections.close();
}
