import { forEachTaskSlot } from '#core/workflow/layout.ts';
import { isInFlight, readSlot, tickMs, type Slot } from '#core/workflow/slots.ts';
import type { Task } from '../canvas/canvas.ts';
import { Actor } from '../kernel/actor.ts';
import { epochMs } from '../kernel/timeline.ts';
import type { Surroundings } from '../surroundings.ts';
import { stageOf } from './ended-run.ts';
import { Violation } from './violation.ts';
import type { WorkflowCase } from './workflow-case.ts';

const lookEveryMs = 5_000;
/** A client gives a call up, the call is made again, and both perhaps twice. */
const heardMs = 25_000;
/** What was asked to stop is let go. */
const graceMs = 30_000;

/** A connection whose broker cannot be reached is closed, and opened again so long after that at most. */
const opensMs = 10_000;

/**
 * P20: a run is over in time though its broker takes nothing, as long as that answers. Looks now and then, in worlds in which nothing else goes wrong, at
 * what was to be over by then: what a cancel or a deadline ends, and what has waited for longer than it may.
 */
export class BoundsJudge {
  readonly #world: Surroundings;
  readonly #actor = new Actor('judge');
  #drivenSinceMs = 0;

  constructor(world: Surroundings) {
    this.#world = world;
  }

  /** To the end of the world. */
  begin(): void {
    this.#world.timeline.timer(lookEveryMs, this.#actor, 'judge looks', () => {
      this.#look();
      this.begin();
    });
  }

  #look(): void {
    const { oracle, faults, broker, timeline } = this.#world;
    if (!broker.isUp || broker.isHanging) this.#drivenSinceMs = timeline.nowMs + opensMs;
    if (!faults.struck.every(({ key }) => key.startsWith('BrokerAway'))) return;
    for (const workflow of oracle.cases) {
      if (!isJudged(workflow)) continue;
      const late = this.#lateIn(workflow);
      if (late !== undefined) oracle.fail(new Violation('P20', `${workflow.key}: ${late}`));
    }
  }

  #lateIn(workflow: WorkflowCase): string | undefined {
    const { nowMs } = this.#world.timeline;
    const { head, slots, maps } = workflow.stored!;
    const endMs = Math.min(workflow.cancelAskedAtMs, head.begunAtMs - epochMs + (workflow.deadlineMs ?? Infinity));
    const afterMs = nowMs - Math.max(endMs, this.#drivenSinceMs);
    const isGoingOn = head.cancelled === '' && stageOf(workflow, workflow.stored!) === 'Running';
    if (afterMs > heardMs && isGoingOn) return `was to end ${afterMs.toFixed(0)} ms ago, and goes on`;
    let late: string | undefined;
    forEachTaskSlot(workflow.plan, maps, ({ index, path, role }, _member, at) => {
      const slot = readSlot(slots, at);
      if (role !== 'Member' || !isInFlight(slot.state)) return;
      if (afterMs > heardMs + graceMs) late ??= `${path} is ${slot.state} ${afterMs.toFixed(0)} ms after the end`;
      const element = workflow.elements[index];
      if (element?.kind === 'task' && this.#waitedTooLong(workflow, at, element, slot))
        late ??= `${path} waits for a worker for longer than it may`;
    });
    return late;
  }

  /** Only of what has reached no queue it is known that no worker has it. */
  #waitedTooLong({ sent, stored, plan }: WorkflowCase, at: number, task: Task, slot: Slot): boolean {
    if (task.waitLimitMs === undefined || slot.state !== 'Published') return false;
    if (at >= plan.steps.length || sent.some(({ step, attempt }) => step === at && attempt === slot.attempt))
      return false;
    const sinceMs = stored!.head.begunAtMs - epochMs + slot.atTicks * tickMs;
    return this.#world.timeline.nowMs > Math.max(sinceMs + task.waitLimitMs, this.#drivenSinceMs) + heardMs;
  }
}

/** Who has a run tried again takes back what was to end it; it may be one that had ended before it began. */
function isJudged({ isDeleted, finished, stored, retryFailed }: WorkflowCase): boolean {
  return !isDeleted && finished === undefined && stored?.head.round === 0 && retryFailed === 0;
}
