import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import type { Plan } from '#core/canvas/plan.ts';
import { parseJson, type JsonText } from '#core/base/json-text.ts';
import type { AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import { everyElement, tasksOf, type Canvas, type Element, type Task } from '../canvas/canvas.ts';
import { specText } from '../canvas/spec-text.ts';

/** The failed task as a carrier names it to an unmodified worker. */
export interface Told {
  readonly task: string;
  readonly args: readonly string[];
  readonly kwargs: string;
}

/** Items that one worker calls a task with, one after the other. */
export interface Chunk {
  readonly by: string;
  readonly items: readonly string[];
}

/** One run of one task's body, as its author would see it; of a chunk, all runs of it. */
export interface Execution {
  readonly task: string;
  readonly step: number;
  readonly member: number;
  readonly round: number;
  readonly attempt: number;
  readonly args: readonly string[];
  readonly kwargs: string;
  readonly succeeded: boolean;
  /** The result's text, or the exception's; of what asked to be called again, nothing. */
  readonly text: string;
  readonly told?: Told;
  readonly chunk?: Chunk;
}

/** A message that reached a queue. */
export interface Sent {
  readonly step: number;
  readonly member: number;
  readonly round: number;
  readonly attempt: number;
  readonly queue: string;
  /** Which change of the run store sent it. */
  readonly change: number;
  /** Times that Redis had forgotten something by then. */
  readonly losses: number;
  /** Virtual time. */
  readonly atMs: number;
  /** Nothing was broken until then. */
  readonly isCalm: boolean;
}

/** An attempt that made a further one due. */
export interface Again {
  readonly atMs: number;
  /** With its worker; else it failed. */
  readonly isLost: boolean;
}

/** One Workflow that a user submitted, and all that was seen of it. */
export class WorkflowCase {
  readonly canvas: Canvas;
  readonly spec: string;
  readonly tasks: ReadonlyMap<string, Task>;
  /** By the number of their step. */
  readonly elements: readonly Element[];
  readonly executions: Execution[] = [];
  readonly sent: Sent[] = [];
  /** Messages as workers took them. */
  readonly claims: Sent[] = [];
  /** By slot: the change that recorded its end. */
  readonly endedAt = new Map<number, number>();
  /** By slot: when that was, in virtual time. */
  readonly endedAtMs = new Map<number, number>();
  /** By slot and attempt, as `3.1`: what made that attempt due. */
  readonly again = new Map<string, Again>();
  /** By slot: the text that was recorded last, wherever it is now. */
  readonly keptEver = new Map<number, JsonText>();
  /** From its beginning. */
  deadlineMs: number | undefined;
  /** Somebody asked that it be held. */
  wasSuspended = false;
  uid = '';
  key = '';
  /** When the user took it away. */
  deletedAtMs = -Infinity;
  /** When the user asked for it to be cancelled. */
  cancelAskedAtMs = Infinity;
  /** The `retryFailed` that the user asks for. */
  retryFailed = 0;
  /** The generation of the spec that asked for it. */
  retriedAtGeneration = 0;
  /** What its status last said; undefined while it goes on. */
  finished: { readonly state: string; readonly atMs: number } | undefined;
  /** Its run as it was last changed. */
  stored: StoredRun | undefined;
  /** The same when its end was shown. */
  storedAtEnd: StoredRun | undefined;
  #plan: Plan | undefined;

  constructor(canvas: Canvas, more: object = {}) {
    this.canvas = canvas;
    this.spec = specText(canvas, more);
    this.tasks = tasksOf(canvas);
    this.elements = everyElement(canvas);
  }

  /** What a change says of texts that are kept. */
  noteKept({ records, publishes }: Pick<AdvanceRequest, 'records' | 'publishes'>): void {
    for (const { at } of [...records, ...publishes]) this.keptEver.delete(at);
    for (const { at, keep } of records) if (keep !== undefined) this.keptEver.set(at, keep);
  }

  get isDeleted(): boolean {
    return this.deletedAtMs !== -Infinity;
  }

  /** As the product plans it: only to find the slot of a step. */
  get plan(): Plan {
    this.#plan ??= planOfSpec(this.spec);
    return this.#plan;
  }
}

function planOfSpec(text: string): Plan {
  const spec = parseWorkflowSpec(parseJson(text));
  if (!spec.ok) throw new Error(`${spec.error.map(({ path, message }) => `${path}: ${message}`).join('; ')}: ${text}`);
  return planOf(normalise(spec.value));
}
