import type { AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';
import type { OutboxEntry } from '#operator/runs/run-ports.ts';
import { usualPriority } from '#operator/runs/window.ts';
import { placeOf } from '../servers/redis-data.ts';
import { Violation } from './violation.ts';
import type { Coverage } from './coverage.ts';
import type { WorkflowCase } from './workflow-case.ts';

/** One change of a run of which some may be held back, while nothing is broken. */
export interface TurnTaken {
  readonly workflow: WorkflowCase;
  readonly request: AdvanceRequest;
  readonly after: StoredRun;
  readonly nowMs: number;
  readonly latencyMs: number;
}

interface TurnInQueue extends TurnTaken {
  readonly queue: string;
}

/** A stretch of time in which something of both runs is held back. */
interface Stretch {
  readonly sinceMs: number;
  /** Messages that were sent in it, by the UID of their run. */
  readonly sent: Map<string, number>;
  /** When the less urgent one sent something that it had no right to, should the other go on waiting. */
  outOfTurnAtMs?: number;
}

/** Of two runs that wait alike one is ahead of the other by so many messages at most: places for half a queue come free at once. */
const mostAhead = 40;
/** Places that are kept for a run, until it comes for them. */
const keptForMs = 250;
/** From a look at what is due to the message in its queue, in calls. */
const mostCalls = 4;

/**
 * P19, of one queue: runs that wait for it take turns. While something of two runs of one priority is held back neither gets
 * ahead of the other by more than a few messages, however long that lasts; and while something of a more urgent one is
 * held back, nothing of the other is sent but for places that were kept for it before. A task has the priority of its run.
 */
export class TurnJudge {
  readonly #queue: string;
  readonly #coverage: Coverage;
  readonly #waiting = new Map<string, WorkflowCase>();
  readonly #stretches = new Map<string, Stretch>();

  constructor(queue: string, coverage: Coverage) {
    this.#queue = queue;
    this.#coverage = coverage;
  }

  /** Throws the `Violation`. */
  took(taken: TurnTaken): void {
    this.#note(taken);
    if (this.#waiting.size === 0) return;
    const { workflow } = taken;
    for (const other of this.#waiting.values()) {
      const stretch = other === workflow || other.isDeleted ? undefined : this.#stretches.get(pairOf(workflow, other));
      if (stretch !== undefined) judgeTurn({ ...taken, queue: this.#queue }, other, stretch);
    }
  }

  #note({ workflow, after, nowMs }: TurnTaken): void {
    if (!isHeld(workflow, after, this.#queue)) {
      this.#waiting.delete(workflow.uid);
      for (const other of this.#waiting.values()) this.#stretches.delete(pairOf(workflow, other));
      return;
    }
    if (this.#waiting.has(workflow.uid)) return;
    for (const other of this.#waiting.values()) {
      this.#stretches.set(pairOf(workflow, other), { sinceMs: nowMs, sent: new Map() });
      const isAlike = priorityOf(workflow) === priorityOf(other);
      this.#coverage.add('Held back', isAlike ? 'Beside one as urgent' : 'Beside a more urgent one');
    }
    this.#waiting.set(workflow.uid, workflow);
  }
}

/** Something of it waits for nothing but a place in the queue. */
function isHeld({ isDeleted, wasSuspended }: WorkflowCase, { ledger, head }: StoredRun, queue: string): boolean {
  return !isDeleted && !wasSuspended && head.cancelled === '' && ledger.has(queue);
}

function judgeTurn(taken: TurnInQueue, other: WorkflowCase, stretch: Stretch): void {
  const { workflow, request, queue } = taken;
  const { sent } = stretch;
  const count = request.publishes.filter((each) => !each.isCleanUp && queueOf(each) === queue).length;
  const so = (sent.get(workflow.uid) ?? 0) + count;
  sent.set(workflow.uid, so);
  const urgency = priorityOf(workflow) - priorityOf(other);
  if (urgency === 0) judgeAlike(taken, other, so - (sent.get(other.uid) ?? 0));
  else if (urgency > 0) judgeUrgent(taken, other, stretch);
  else if (count > 0 && taken.nowMs > stretch.sinceMs + keptForMs + mostCalls * taken.latencyMs) {
    stretch.outOfTurnAtMs ??= taken.nowMs;
  }
}

function queueOf({ dispatch }: AdvanceRequest['publishes'][number]): string {
  const list = dispatch.by === 'Outbox' ? (JSON.parse(dispatch.entry) as OutboxEntry).list : dispatch.list;
  return placeOf(list).queue;
}

function judgeAlike({ workflow }: TurnTaken, other: WorkflowCase, ahead: number): void {
  if (ahead <= mostAhead) return;
  const why = 'while tasks of both are held back, which are as urgent';
  throw new Violation('P19', `${workflow.key} is ${ahead} messages ahead of ${other.key} ${why}`);
}

/** There may have been room for all of the more urgent one and some of the other: then nothing of the first waits any more. */
function judgeUrgent({ workflow, nowMs, latencyMs }: TurnTaken, other: WorkflowCase, { outOfTurnAtMs }: Stretch): void {
  const afterMs = nowMs - (outOfTurnAtMs ?? Infinity);
  if (afterMs <= mostCalls * latencyMs) return;
  const why = `and ${afterMs.toFixed(1)} ms later tasks of ${workflow.key} are held back, which are more urgent`;
  throw new Violation('P19', `tasks of ${other.key} were sent ${why}`);
}

function priorityOf({ canvas }: WorkflowCase): number {
  return canvas.priority ?? usualPriority;
}

function pairOf(one: WorkflowCase, other: WorkflowCase): string {
  return one.uid < other.uid ? `${one.uid} ${other.uid}` : `${other.uid} ${one.uid}`;
}
