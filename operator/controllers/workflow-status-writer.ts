import type { Workflow } from '#core/resources/workflow.ts';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import { leastPauseMs, statusDue } from '#core/workflow/status-due.ts';
import { isKubeError } from '#io/kube/kube-error.ts';
import { resources } from '#io/kube/resource.ts';
import { patchStatus } from '#io/kube/status.ts';
import type { Requeue } from '../control/controller.ts';
import type { ControllerDeps } from './controller-deps.ts';

/** Members that a run's status has only at times: what an earlier one said and this one does not is removed. */
const passing = [
  'finishedAt',
  'duration',
  'result',
  'nextDueAt',
  'unservedQueue',
  'notStopped',
  'held',
  'checkpoint',
] as const;

/** The status of a run of 10,000 slots is not computed more often than every 100 ms. */
const slotsPerRestMs = 100;

/** Writes statuses of Workflows, seldom, and never over something newer than what they were computed from. */
export class WorkflowStatusWriter {
  readonly #deps: Pick<ControllerDeps, 'client' | 'reflectors' | 'nowMs'>;
  readonly #writtenAtMs = new Map<string, number>();
  readonly #computedAtMs = new Map<string, number>();
  readonly #knownSinceMs = new Map<string, number>();

  constructor(deps: Pick<ControllerDeps, 'client' | 'reflectors' | 'nowMs'>) {
    this.#deps = deps;
  }

  /**
   * Writes what is due now, completed, or says when to come again. Throws `KubeError`; a conflict means that someone newer
   * spoke.
   */
  async writeIfDue(
    workflow: Workflow,
    next: WorkflowStatus,
    complete: () => WorkflowStatus,
  ): Promise<{ readonly written: boolean; readonly again?: Requeue }> {
    const { uid } = workflow.metadata;
    const nowMs = this.#deps.nowMs();
    this.#computedAtMs.set(uid, nowMs);
    const begunAtMs =
      next.startedAt === undefined ? undefined : this.#begunAtMs(uid, Date.parse(next.startedAt), nowMs);
    const due = statusDue(workflow.status, next, { writtenAtMs: this.#writtenAtMs.get(uid), begunAtMs, nowMs });
    if (due.write === 'No') return { written: false };
    if (due.write === 'Later') return { written: false, again: { requeueAfterMs: due.afterMs } };
    await this.write(workflow, complete());
    return { written: true };
  }

  /** Told by the clock of the run's Redis, which this operator's may lag behind: a run is no younger than it is known. */
  #begunAtMs(uid: string, startedAtMs: number, nowMs: number): number {
    const knownSinceMs = this.#knownSinceMs.get(uid) ?? nowMs;
    this.#knownSinceMs.set(uid, knownSinceMs);
    return Math.min(startedAtMs, knownSinceMs);
  }

  /**
   * How long a status need not even be computed: it could not be written yet, or it was looked at just now and the run is
   * so wide that to look at all of it each time would cost as much as to drive it.
   */
  restMs(uid: string, slots: number): number {
    const nowMs = this.#deps.nowMs();
    const unwrittenMs = leastPauseMs - (nowMs - (this.#writtenAtMs.get(uid) ?? 0));
    const uncomputedMs = Math.min(leastPauseMs, slots / slotsPerRestMs) - (nowMs - (this.#computedAtMs.get(uid) ?? 0));
    return Math.max(0, unwrittenMs, Math.ceil(uncomputedMs));
  }

  /** Throws `KubeError`. */
  async write(workflow: Workflow, next: WorkflowStatus): Promise<void> {
    const { client, reflectors, nowMs } = this.#deps;
    reflectors.workflows.adopt(await this.#patch(client, workflow, { ...goneFrom(workflow.status, next), ...next }));
    this.#writtenAtMs.set(workflow.metadata.uid, nowMs());
  }

  /** Says of a Workflow that has ended that it was seen as it is now; the rest of its status stands. Throws `KubeError`. */
  async observe(workflow: Workflow): Promise<void> {
    const { status, metadata } = workflow;
    const observedGeneration = metadata.generation;
    if (status === undefined || status.observedGeneration === observedGeneration) return;
    const conditions = status.conditions?.map((condition) => ({ ...condition, observedGeneration }));
    await this.write(workflow, { observedGeneration, ...(conditions === undefined ? {} : { conditions }) });
  }

  forget(uid: string): void {
    this.#writtenAtMs.delete(uid);
    this.#computedAtMs.delete(uid);
    this.#knownSinceMs.delete(uid);
  }

  /** A result that the API server refuses must not keep the rest from being told. */
  async #patch(client: ControllerDeps['client'], workflow: Workflow, next: object): Promise<Workflow> {
    try {
      return await patchStatus(client, resources.workflows, workflow, next);
    } catch (error) {
      if (!isKubeError(error, 'Invalid') || !('result' in next)) throw error;
      const { result: _refused, ...rest } = next;
      return patchStatus(client, resources.workflows, workflow, rest);
    }
  }
}

/** As `null`, which removes a member. A status without a revision is not of a run, and takes nothing of its run away. */
function goneFrom(shown: WorkflowStatus | undefined, next: WorkflowStatus): object {
  if (next.rev === undefined || shown === undefined) return {};
  return Object.fromEntries(
    passing.filter((key) => shown[key] !== undefined && next[key] === undefined).map((key) => [key, null]),
  );
}
