import type { WorkflowReason } from '#core/resources/reasons.ts';
import type { Summary } from './summary.ts';
import type { Evaluation } from './evaluate.ts';

/** The condition Succeeded, less its times. */
export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: WorkflowReason;
  readonly message: string;
}

export interface VerdictInput {
  readonly evaluation: Evaluation;
  readonly summary: Summary;
  /** Why the run stands still for good. */
  readonly stopped?: { readonly reason: WorkflowReason; readonly message: string } | undefined;
  /** Why a due step waits. */
  readonly blocked?: { readonly path: string; readonly reason: WorkflowReason; readonly message: string } | undefined;
  /** What the store last said, when it could not be reached. */
  readonly trouble?: string | undefined;
}

/** What the condition Succeeded says of a run: the first row that holds. */
export function verdictOf({ evaluation, summary, stopped, blocked, trouble }: VerdictInput): Verdict {
  if (stopped !== undefined)
    return { status: stopped.reason === 'UnknownPlanVersion' ? 'Unknown' : 'False', ...stopped };
  if (evaluation.stage === 'Ended') return ended(evaluation, summary);
  if (trouble !== undefined) {
    return {
      status: 'Unknown',
      reason: 'ConnectionNotReady',
      message: `the run goes on when its Redis answers: ${trouble}`,
    };
  }
  if (blocked !== undefined) {
    return { status: 'Unknown', reason: blocked.reason, message: `${blocked.path}: ${blocked.message}` };
  }
  if (evaluation.stage === 'Finalizing') {
    const message = `${outcomeText(evaluation, summary)}; handlers are running`;
    return { status: 'Unknown', reason: 'Finalizing', message };
  }
  return { status: 'Unknown', reason: 'Running', message: `${summary.done} of ${summary.total} tasks done` };
}

function ended(evaluation: Evaluation, summary: Summary): Verdict {
  const message = outcomeText(evaluation, summary);
  const root = evaluation.states[0];
  if (root === 'Succeeded') return { status: 'True', reason: 'Succeeded', message };
  return { status: 'False', reason: root === 'Cancelled' ? 'Cancelled' : 'Failed', message };
}

function outcomeText(evaluation: Evaluation, { done, total, failed, failures }: Summary): string {
  if (evaluation.states[0] === 'Succeeded') return `${total} of ${total} tasks succeeded`;
  const [first] = failures;
  if (first === undefined) return `${done} of ${total} tasks ended before it was cancelled`;
  const others = failed > 1 ? `; ${failed} tasks failed in all` : '';
  return `${first.path}: task ${first.task ?? ''} failed with ${first.type}: ${first.message ?? ''}${others}`;
}
