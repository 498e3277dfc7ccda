import { elements } from '#core/base/json-span.ts';
import type { JsonText } from '#core/base/json-text.ts';
import { decodeTaskId } from '#core/base/task-id.ts';
import { carrierTask, decodeCarrier } from '#core/celery/carrier.ts';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { encodeResultMeta, statusOf } from '#core/celery/result-meta.ts';
import type { TaskMessage } from '#core/celery/task-message.ts';
import type { TreeTask } from './canvas-tree.ts';

/** The failed task as a carrier names it to an unmodified worker. */
export interface Told {
  readonly task: string;
  readonly args: readonly string[];
  readonly kwargs: string;
}

/** One run of one task's body, as its author would see it. */
export interface Execution {
  readonly task: string;
  readonly step: number;
  readonly attempt: number;
  readonly args: readonly string[];
  readonly kwargs: string;
  readonly succeeded: boolean;
  readonly told?: Told;
}

/** What is announced of a run, and stays in the result store: the id and the stored text. */
export interface Announced {
  readonly id: string;
  readonly text: string;
}

/** With everything in it that a careless copy would change. */
export function exceptionText(task: string, attempt: number): string {
  return `{"exc_type": "ValueError", "exc_message": ["${task}", ${attempt}, NaN, 1.0], "exc_module": "builtins"}`;
}

/** Workers that run what they are given at once, and a result store that keeps a SUCCESS. */
export class SimulatedWorkers {
  readonly executions: Execution[] = [];
  readonly results = new Map<string, string>();
  readonly #tasks: ReadonlyMap<string, TreeTask>;

  constructor(tasks: ReadonlyMap<string, TreeTask>) {
    this.#tasks = tasks;
  }

  run(raw: string): Announced {
    const decoded = decodeTaskMessage(raw);
    if (!decoded.ok) throw new Error(`a message that no worker can read: ${decoded.error.message}`);
    const message = decoded.value;
    if (message.task === carrierTask) return this.#runCarrier(message);
    const { attempt } = idOf(message.id);
    const args = elements(message.argsText) ?? [];
    return this.#execute({ id: message.id, task: message.task, args, kwargs: message.kwargsText })
      ? this.#store(message.id, 'SUCCESS', this.#task(message.task).result)
      : this.#store(message.id, 'FAILURE', exceptionText(message.task, attempt));
  }

  /** As an unmodified worker does: the errback gets the failed task's request; a ChordError says that it was called. */
  #runCarrier(message: TaskMessage): Announced {
    const carrier = decodeCarrier(message.argsText);
    if (!carrier.ok) throw new Error(`a carrier that no worker can read: ${carrier.error.message}`);
    const { failed, handlerId, errbacks } = carrier.value;
    if (statusOf(this.results.get(failed.id) ?? '') !== 'FAILURE') {
      throw new Error(`${failed.task} (${failed.id}): its FAILURE is not in the result store`);
    }
    for (const { task, argsText, kwargsText } of errbacks) {
      const told = { task: failed.task, args: elements(failed.argsText) ?? [], kwargs: failed.kwargsText };
      this.#execute({ id: handlerId, task, args: elements(argsText) ?? [], kwargs: kwargsText, told });
    }
    return this.#store(
      handlerId,
      'FAILURE',
      '{"exc_type": "ChordError", "exc_message": ["raised"], "exc_module": "x"}',
    );
  }

  #execute({ id, ...called }: { readonly id: string } & Omit<Execution, 'step' | 'attempt' | 'succeeded'>): boolean {
    const { step, attempt } = idOf(id);
    const { attempts } = this.#task(called.task);
    const succeeded = attempts[Math.min(attempt, attempts.length - 1)] === 'succeeds';
    this.executions.push({ ...called, step, attempt, succeeded });
    return succeeded;
  }

  /** As the engine does for what no worker stored. */
  storeFailure(id: string, exc: string): void {
    this.#store(id, 'FAILURE', exc);
  }

  #store(id: string, status: string, result: string): Announced {
    const dateDone = '2026-01-01T00:00:00+00:00';
    const text = encodeResultMeta({ id, status, resultText: result as JsonText, traceback: 'tb\n', dateDone });
    if (statusOf(this.results.get(id) ?? '') !== 'SUCCESS') this.results.set(id, text);
    return { id, text };
  }

  #task(name: string): TreeTask {
    const task = this.#tasks.get(name);
    if (task === undefined) throw new Error(`nobody wrote a task ${name}`);
    return task;
  }
}

export function idOf(id: string): { readonly step: number; readonly attempt: number } {
  const fields = decodeTaskId(id);
  if (fields === undefined) throw new Error(`${id} is not an id of ours`);
  return fields;
}
