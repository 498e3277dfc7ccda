import { stringifyJson, type JsonText } from '#core/base/json-text.ts';
import { decodeMapCall } from '#core/celery/map-call.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import type { TaskMessage } from '#core/celery/task-message.ts';
import type { Outcome } from '#core/execution/outcome.ts';
import type { Delivery } from '#io/brokers/broker.ts';
import { isMap } from '../tasks/run-map.ts';
import type { TaskInfo } from '../tasks/task-options.ts';
import type { CallSupport } from './call-runner.ts';
import { LateStarts } from './late-starts.ts';
import { callOf, Running } from './running.ts';
import { StateWriter } from './state-writer.ts';
import type { WorkerPorts, WorkerSettings } from './worker-ports.ts';

export type RunPorts = Pick<WorkerPorts, 'results' | 'threads' | 'inline' | 'tasks' | 'log' | 'nowMs' | 'after'>;

interface Start {
  readonly message: TaskMessage;
  readonly states: StateWriter;
  /** Whether `STARTED` is stored at once, or never; undefined for tasks that run longer than a second. */
  readonly isTracked: boolean | undefined;
}

/** The tasks that run in this worker. */
export class TaskRuns {
  readonly #ports: RunPorts;
  readonly #settings: WorkerSettings;
  readonly #running = new Map<string, Running>();
  /** Tags of running tasks whose message is in other hands: a success is still stored, nothing else is. */
  readonly #lost = new Set<string>();
  readonly #lateStarts: LateStarts;

  constructor(ports: RunPorts, settings: WorkerSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#lateStarts = new LateStarts(ports);
  }

  get running(): readonly Running[] {
    return [...this.#running.values()];
  }

  /** Runs a task of this worker; `message` is that of the delivery, or a call that the delivery asks for. Never rejects. */
  async run(delivery: Delivery, message: TaskMessage, calledBy = message.id): Promise<Outcome> {
    const info = this.#infoOf(message);
    const running = new Running(message, calledBy, this.#ports);
    const states = new StateWriter((text) => this.#store(message.id, text));
    this.#running.set(delivery.tag, running);
    this.#tellStart(delivery, { message, states, isTracked: info?.trackStarted ?? this.#settings.trackStarted });
    try {
      const runner = info?.inline === true ? this.#ports.inline : this.#ports.threads;
      const call = callOf(message, this.#settings.hostname);
      return running.judge(await runner.run(call, this.#supportOf(delivery, running, states)));
    } finally {
      this.#lateStarts.ended(delivery.tag);
      running.end();
      // A state on its way would otherwise replace the result.
      const closing = states.close();
      if (closing !== undefined) await closing;
      this.#running.delete(delivery.tag);
    }
  }

  /** These messages are in other hands now. True where the task runs here. */
  lose(tag: string): boolean {
    const running = this.#running.get(tag);
    if (running === undefined) return false;
    this.#lost.add(tag);
    running.stop('MessageLost');
    return true;
  }

  /** Whether the message went into other hands while its task ran; asked once, at its end. */
  takeLost(tag: string): boolean {
    return this.#lost.delete(tag);
  }

  /** Ends those that run for these messages. Returns the ids of those that it found. */
  terminate(ids: ReadonlySet<string>): readonly string[] {
    const found = this.running.filter(({ calledBy }) => ids.has(calledBy));
    for (const running of found) running.revoke();
    return found.map(({ calledBy }) => calledBy);
  }

  #tellStart({ tag }: Delivery, { message, states, isTracked }: Start): void {
    if (isTracked === false) return;
    const tell = (): void => {
      // What the task itself reported meanwhile says more.
      if (!states.isUsed && !this.#lost.has(tag)) void states.write(stateText(message, 'STARTED', this.#startedMeta()));
    };
    if (isTracked === true) tell();
    else this.#lateStarts.began(tag, tell);
  }

  /** Celery's map runs where the task runs that it calls. */
  #infoOf(message: TaskMessage): TaskInfo | undefined {
    const { tasks } = this.#ports;
    if (!isMap(message.task)) return tasks.get(message.task);
    const map = decodeMapCall(message.kwargsText);
    return map.ok ? tasks.get(map.value.call.task) : undefined;
  }

  #supportOf(delivery: Delivery, running: Running, states: StateWriter): CallSupport {
    const { message } = running;
    const { log } = this.#ports;
    return {
      begin: () => running.begin(),
      updateState: async (state, metaText) => {
        if (!this.#lost.has(delivery.tag)) await states.write(stateText(message, state, metaText));
      },
      log: (level, text, fields) => log[level]({ ...fields, task: message.task, taskId: message.id }, text),
      get signal() {
        return running.signal;
      },
      onStop: (call) => running.onStop(call),
      onCut: (call) => running.onCut(call),
    };
  }

  async #store(id: string, text: string): Promise<void> {
    try {
      await this.#ports.results.store([{ id, text }]);
    } catch (error) {
      this.#ports.log.warn({ taskId: id, error: (error as Error).message }, 'the state of a task could not be stored');
    }
  }

  #startedMeta(): JsonText {
    return stringifyJson({ pid: process.pid, hostname: this.#settings.hostname });
  }
}

function stateText({ id, group: groupId, parentId }: TaskMessage, status: string, resultText: JsonText): string {
  return encodeResultMeta({ id, status, resultText, children: [], dateDone: null, groupId, parentId });
}
