import type { Log } from '#core/base/log.ts';
import { defaultPayloadLimits } from '#core/base/payload-limits.ts';
import type { TaskQueue } from '#core/resources/task-queue.ts';
import type { WorkerPool } from '#core/resources/worker-pool.ts';
import type { Workflow } from '#core/resources/workflow.ts';
import type { EventNote } from '#io/kube/event-recorder.ts';
import { Reflector } from '#io/kube/reflector.ts';
import { resources } from '#io/kube/resource.ts';
import type { ResultStore } from '#io/results/result-store.ts';
import type { RunStore } from '#io/runs/run-store.ts';
import { runController, type RunningController } from '#operator/control/controller.ts';
import type { ControllerDeps, ControllerSetup } from '#operator/controllers/controller-deps.ts';
import { createWorkflowController } from '#operator/controllers/workflow-setup.ts';
import { HomeRegistry } from '#operator/homes/home-registry.ts';
import type { ConnectionRef } from '#operator/connections/connection-state.ts';
import { RunEngine } from '#operator/runs/run-engine.ts';
import type { RunPorts } from '#operator/runs/run-ports.ts';
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
import type { HintChannel } from './hint-channel.ts';
import { ObjectCopy } from './object-copy.ts';
import { SimulatedConnections } from './simulated-connections.ts';

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
  /** Places for tasks at live workers; undefined while that is not known. */
  readonly slots: () => number | undefined;
  /** Asks workers to stop what they run. */
  readonly revoke: (ids: ReadonlySet<string>) => void;
  /** The ports that the engine gets; planted bugs stand between. */
  readonly ports: (ports: RunPorts) => RunPorts;
}

interface Term {
  readonly controller: AbortController;
  readonly running: RunningController;
  readonly setup: ControllerSetup;
  readonly connections: SimulatedConnections;
  readonly homes: HomeRegistry;
}

/** One operator process: the product's reflector, controller and engines, and its own view of who leads. */
export class SimulatedOperator {
  readonly actor: Actor;
  readonly queues = new ObjectCopy<TaskQueue>();
  readonly pools = new ObjectCopy<WorkerPool>();
  readonly #around: OperatorSurroundings;
  readonly #reflector: Reflector<Workflow>;
  readonly #client;
  #term: Term | undefined;

  constructor(name: string, around: OperatorSurroundings) {
    this.actor = new Actor(name);
    this.#around = around;
    const { timeline, faults, chance, api, apiServer, latencyMs } = around;
    this.#client = linkedKubeClient({
      ...{ timeline, faults, chance, api, latencyMs },
      client: this.actor,
      server: apiServer,
      lagMs: latencyMs * 2,
      witness: around.effects,
    });
    this.#reflector = new Reflector<Workflow>({
      client: this.#client,
      scope: { resource: resources.workflows },
      namespaces: [],
      log: around.log,
      timers: timeline.timersOf(this.actor, chance),
    });
  }

  start(): void {
    void this.#reflector.run(new AbortController().signal);
  }

  get isLeading(): boolean {
    return this.#term !== undefined && !this.actor.isDead;
  }

  /** It drives the runs of a connection. */
  get hasHome(): boolean {
    return this.isLeading && (this.#term?.homes.engines().length ?? 0) > 0;
  }

  /** Begins a term, once the copies of the cluster are complete. */
  lead(): void {
    void this.#reflector.synced.then(() => {
      this.#term ??= this.#begin();
    });
  }

  /** It has noticed that another one leads. */
  resign(): void {
    const term = this.#term;
    this.#term = undefined;
    if (term !== undefined) void ended(term);
  }

  connectionBroke(): void {
    this.#term?.connections.broke();
  }

  #begin(): Term {
    const { timeline, chance, connection, home, broker, log, namespace } = this.#around;
    const controller = new AbortController();
    const timers = timeline.timersOf(this.actor, chance);
    const connections = new SimulatedConnections({ timeline, actor: this.actor, ref: connection, home, broker });
    const homes = new HomeRegistry({
      log,
      timers,
      slotsOf: () => this.#around.slots(),
      payloadLimits: defaultPayloadLimits,
      isLeading: () => !controller.signal.aborted,
      engineOn: () => new RunEngine(this.#ports(controller.signal)),
    });
    const setup = createWorkflowController(this.#deps(connections, homes, controller.signal));
    const running = runController(setup.controller, {
      concurrency: setup.concurrency,
      log,
      signal: controller.signal,
      timers,
    });
    setup.wire(running);
    timeline.tell(this.actor.name, () => `leads in ${namespace}`);
    return { controller, running, setup, connections, homes };
  }

  #deps(connections: SimulatedConnections, homes: HomeRegistry, term: AbortSignal): ControllerDeps {
    const { log, noted, showResults, timeline, clockOffsetMs } = this.#around;
    const clock = timeline.clockOf(this.actor, clockOffsetMs);
    const fakes = {
      client: this.#client,
      reflectors: { workflows: this.#reflector, taskQueues: this.queues, workerPools: this.pools },
      connections,
      homes,
      depths: {},
      events: { recordEvent: noted },
      config: { showResults, payloadLimits: defaultPayloadLimits },
    };
    return { ...(fakes as unknown as ControllerDeps), log, nowMs: () => clock.nowMs(), term };
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
      broker: linkedWhereabouts(broker, toBroker, this.#around.revoke),
      clock: timeline.clockOf(this.actor, clockOffsetMs),
      log,
      newTag: () => `tag-${chance.between(0, 1e15).toString(36)}`,
      slotsOf: () => this.#around.slots(),
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
async function ended({ controller, running, setup, homes, connections }: Term): Promise<void> {
  controller.abort(new Error('the term is over'));
  await running.close();
  await setup.close();
  homes.close();
  connections.close();
}
