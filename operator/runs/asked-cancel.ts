import type { Cancelled } from '#core/workflow/advance.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import type { RunSettings } from './run-settings.ts';

/** The cancel that is asked for and not recorded; undefined when there is none, or when the outcome is fixed already. */
export function askedCancel(
  { cancel, deadlineMs }: Pick<RunSettings, 'cancel' | 'deadlineMs'>,
  { state, evaluation }: RunView,
  nowMs: number,
): Exclude<Cancelled, ''> | undefined {
  if (state.cancelled !== '' || evaluation.stage !== 'Running') return undefined;
  if (cancel) return 'Cancelled';
  return deadlineMs !== undefined && nowMs >= state.begunAtMs + deadlineMs ? 'DeadlineExceeded' : undefined;
}
