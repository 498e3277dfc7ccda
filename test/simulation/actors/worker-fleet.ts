import { fail, ok } from '#core/base/result.ts';
import type { Census } from '#io/brokers/census.ts';
import { decodeTaskId } from '#core/base/task-id.ts';
import { elements } from '#core/base/json-span.ts';
import { starmapTask } from '#core/celery/map-call.ts';
import { messageId } from '#io/brokers/message-text.ts';
import { Actor } from '../kernel/actor.ts';
import type { Chance } from '../kernel/chance.ts';
import type { Task } from '../canvas/canvas.ts';
import { canary } from '../canvas/random-canvas.ts';
import { retryQueue, usualQueue } from '../queues.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Execution } from '../oracle/workflow-case.ts';
import type { BodyEnd, Called } from './run-message.ts';
import { SimulatedWorker, type WorkerSettings } from './simulated-worker.ts';

type AttemptPlace = Pick<Execution, 'round' | 'step' | 'member' | 'attempt'>;

/** Who looks after the pods that workers run in. */
export interface PodOwner {
  /** The process has ended. */
  ended(worker: SimulatedWorker): void;
  /** The cluster takes the pod for gone, though its worker lives. */
  lose(podUid: string): void;
}

/** Where a worker runs, and the queue that it serves: the usual one when none is named. */
interface WorkerPlace extends Pick<WorkerSettings, 'podUid' | 'slots' | 'prefetch'> {
  readonly queue?: string;
}

/** All worker pods, the bodies of their tasks, and what the cluster does when one dies. */
export class WorkerFleet {
  readonly #world: Surroundings;
  readonly #chance: Chance;
  readonly #actor = new Actor('cluster');
  #workers: SimulatedWorker[] = [];
  /** Pods that are gone, as the broker was told. */
  readonly #gone = new Set<string>();
  #pods = 0;
  #executions = 0;
  #started = 0;

  constructor(world: Surroundings) {
    this.#world = world;
    this.#chance = world.chance.split('workers');
  }

  start(): void {
    const { pool, workers, escalation } = this.#world.swarm;
    if (pool !== undefined) return;
    for (let i = 0; i < workers; i += 1) this.#startPod(usualQueue);
    for (let i = 0; i < (escalation?.workers ?? 0); i += 1) this.#startPod(retryQueue);
  }

  /** A message has come into a queue; whoever has access to it may take it away or send it again. */
  pushed(message: string, queue: string): void {
    const { faults, timeline, broker } = this.#world;
    for (const worker of this.#workers) worker.ring();
    const vanishes = faults.strike('MessageVanishes', 'queue');
    if (vanishes !== undefined) {
      const ids = new Set([messageId(message) ?? '']);
      timeline.in(faults.size(vanishes, 0, 1_000), broker.actor, 'a message vanishes', () => {
        broker.change(({ broker: queues }) => void queues.withdraw(queue, ids));
      });
    }
    const repeated = faults.strike('MessageRepeated', 'queue');
    if (repeated !== undefined) {
      timeline.in(faults.size(repeated, 0, 1_000), broker.actor, 'a message is repeated', () => {
        broker.change(({ broker: queues }) => void queues.publish([{ queue, priority: 0, text: message }]));
      });
    }
  }

  /**
   * The broker forgot who there is: each living worker sees to it that its number is not given out again, and the cluster
   * says once more who is gone.
   */
  remember(): void {
    const { broker } = this.#world;
    for (const { settings, n } of this.#workers) {
      broker.change(({ broker: queues }) => {
        for (let known = queues.begin(settings.podUid); known < n; known += 1) queues.begin(settings.podUid);
      });
    }
    for (const podUid of this.#gone) broker.change(({ broker: queues }) => void queues.retire(podUid));
  }

  /** Whoever hangs is killed: from now on tasks end. */
  calm(): void {
    for (const worker of [...this.#workers]) if (worker.isHung) worker.kill();
  }

  /** Places for the tasks of a queue, as far as the operator knows. */
  slotsOf(queue: string): number | undefined {
    if (!this.#world.swarm.knowsSlots) return undefined;
    return this.#workers.filter(({ settings }) => settings.queues.includes(queue)).length;
  }

  /** Workers are asked to stop what they run, and to run none of it. */
  revoke(ids: ReadonlySet<string>): void {
    for (const worker of this.#workers) worker.revoke(ids);
  }

  /** Each living worker answers what it holds, and how long it has lived. */
  ask(ids: ReadonlySet<string>): Census {
    const held = this.#workers.flatMap((worker) => worker.heldIds.map((id) => [id, worker.actor.name] as const));
    const uptimes = this.#workers.map((worker) => [worker.actor.name, worker.uptimeMs] as const);
    const workers = uptimes.length === 0 ? fail('no worker hears remote control') : ok(new Map(uptimes));
    return { holders: new Map(held.filter(([id]) => ids.has(id))), workers };
  }

  #startPod(queue: string, podUid = `pod-${(this.#pods += 1)}`): void {
    this.startWorker(
      { podUid, slots: 1, prefetch: this.#world.swarm.prefetch, queue },
      {
        ended: (dead) => this.#replace(dead),
        lose: (uid) => this.#restoreLater(uid, 100),
      },
    );
  }

  /** Starts a worker process in a pod; `owner` is told what becomes of it. */
  startWorker({ queue = usualQueue, ...place }: WorkerPlace, owner: PodOwner): SimulatedWorker {
    const { timeline, faults, swarm, broker, home } = this.#world;
    const { podUid } = place;
    const { slowness = 1, pausedUntilMs = 0 } = (queue === retryQueue ? swarm.escalation : undefined) ?? {};
    const taskMs = swarm.taskMs * slowness;
    const worker = new SimulatedWorker(
      { ...place, queues: [queue], taskMs, pausedUntilMs, tellsStart: swarm.tellsStart },
      {
        ...{ timeline, faults, broker, results: home, latencyMs: swarm.latencyMs },
        chance: this.#chance.split(`${podUid}/${(this.#started += 1)}`),
        witness: undefined,
        claimed: ({ text, queue: from }) => this.#world.oracle.claimed(text, from),
        execute: (called) => this.#execute(called),
        hasFailed: (id) => this.#hasFailed(id),
        broken: (violation) => this.#world.oracle.fail(violation),
        died: (dead) => {
          this.#workers = this.#workers.filter((each) => each !== dead);
          owner.ended(dead);
        },
        thoughtDead: (living) => owner.lose(living.settings.podUid),
      },
    );
    this.#workers.push(worker);
    worker.start();
    return worker;
  }

  #replace({ settings: { podUid, queues } }: SimulatedWorker): void {
    const [queue = usualQueue] = queues;
    // The container starts again in its pod, or another pod takes its place and the cluster says that this one is gone.
    const isSame = this.#chance.happens(0.5);
    if (!isSame) this.#restoreLater(podUid, 1_000);
    this.#world.timeline.in(this.#chance.between(50, 3_000), this.#actor, 'a worker starts', () => {
      if (isSame) this.#startPod(queue, podUid);
      else this.#startPod(queue);
    });
  }

  #restoreLater(podUid: string, leastMs: number): void {
    const { timeline, broker } = this.#world;
    timeline.in(leastMs + this.#chance.between(0, 5_000), this.#actor, `${podUid} is gone`, () => {
      if (!broker.isUp) {
        this.#restoreLater(podUid, leastMs);
        return;
      }
      if (!this.#workers.some(({ settings }) => settings.podUid === podUid)) this.#gone.add(podUid);
      broker.change(({ broker: queues }) => void queues.retire(podUid));
    });
  }

  #hasFailed(id: string): boolean {
    const that = placeText(decodeTaskId(id));
    const { cases } = this.#world.oracle;
    return cases.some(({ executions }) => executions.some((each) => !each.succeeded && placeText(each) === that));
  }

  #execute({ run48, key, retries, isTooLong, ...called }: Called): BodyEnd {
    const { oracle, timeline, home, faults } = this.#world;
    const uid = key.slice(0, key.indexOf('/'));
    const workflow = oracle.cases.find((each) => each.uid === uid);
    const task = workflow?.tasks.get(called.task);
    if (workflow === undefined || task === undefined) throw new Error(`nobody wrote a task ${called.task}`);
    const { end, text } = this.#endOf(task, { ...called, retries, isTooLong });
    workflow.executions.push({ ...called, succeeded: end === 'Succeeds', text: end === 'Retries' ? '' : text });
    timeline.tell('task', () => `${called.task} of ${workflow.key} ${end.toLowerCase()} (${run48})`);
    const vanishes = faults.strike('ResultVanishes', 'results');
    if (vanishes !== undefined) {
      timeline.in(faults.size(vanishes, 0, 3_000), home.actor, 'a result vanishes', () => {
        home.change(({ results }) => results.deleteLatest());
      });
    }
    return { end, text };
  }

  #endOf(task: Task, { round, attempt, retries, isTooLong, chunk }: Omit<Called, 'run48' | 'key'>): BodyEnd {
    const { outcomes, result, ownRetries = 0 } = task;
    const nth = (this.#executions += 1);
    if (isTooLong)
      return { end: 'Fails', text: exceptionText('billiard.exceptions', 'TimeLimitExceeded', String(nth)) };
    if (retries < ownRetries)
      return { end: 'Retries', text: exceptionText('celery.exceptions', 'Retry', String(retries)) };
    const failure = exceptionText('builtins', 'ValueError', `"${task.task}", ${nth}, NaN, 1.0`);
    if (outcomes[Math.min(round + attempt, outcomes.length - 1)] === 'fails') return { end: 'Fails', text: failure };
    // A task that is not the same twice: what counts is what was recorded.
    if (chunk === undefined) return { end: 'Succeeds', text: `[${result}, "${canary}-${nth}"]` };
    if (chunk.by === starmapTask && chunk.items.some((item) => elements(item) === undefined))
      return { end: 'Fails', text: failure };
    return {
      end: 'Succeeds',
      text: `[${chunk.items.map((_, i) => `[${result}, "${canary}-${nth}.${i}"]`).join(', ')}]`,
    };
  }
}

function placeText(place: AttemptPlace | undefined): string {
  return [place?.round, place?.step, place?.member, place?.attempt].join('/');
}

function exceptionText(module: string, type: string, message: string): string {
  return `{"exc_type": "${type}", "exc_message": [${message}], "exc_module": "${module}"}`;
}
