import { limits } from '#core/base/limits.ts';
import type { TaskStep } from '#core/canvas/plan.ts';
import type { HandlerStatus } from '#core/resources/workflow-status.ts';
import type { RunView } from './run-view.ts';
import { failureAt } from './failed-member.ts';
import type { RunIdentity } from './message.ts';
import { shownErrorText } from './shown-error.ts';
import { shownStep } from './step-rows.ts';

/** Handlers that were called or are still to be; those whose occasion did not come are left out, and those of map members. */
export function handlerRows(run: RunIdentity, view: RunView): readonly HandlerStatus[] {
  const handlers = view.plan.steps.filter(
    (step): step is TaskStep & { readonly role: Exclude<TaskStep['role'], 'Member'> } =>
      step.kind === 'Task' &&
      step.role !== 'Member' &&
      step.map === -1 &&
      view.evaluation.states[step.index] !== 'Skipped',
  );
  return handlers.slice(0, limits.statusSteps).map((step) => {
    const { state, taskId } = shownStep(run, view, step);
    const failed = view.evaluation.states[step.index] === 'Failed';
    return {
      kind: step.role,
      path: step.path,
      task: step.task,
      state,
      ...(taskId === undefined ? {} : { taskId }),
      ...(failed ? { message: shownErrorText(failureAt(view, { step: step.index, member: 0 })) } : {}),
    };
  });
}
