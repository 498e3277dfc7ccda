import type { Fate } from '#core/workflow/absence.ts';
import { engineFailure, type Failure } from '#core/workflow/failure.ts';
import { taskIdOf } from '#core/workflow/message.ts';
import type { Outstanding } from './outstanding.ts';

/** A message of which nothing is left, and what follows from that. */
export interface Vanished {
  readonly outstanding: Outstanding;
  readonly fate: Exclude<Fate, 'Unknown'>;
  /** Who had it last, where that is known. */
  readonly nodename?: string | undefined;
}

/** Tells the run that this attempt will never answer. */
export function reportVanished({ outstanding, fate, nodename }: Vanished): void {
  const { driver, step, member, attempt, id } = outstanding;
  // A further round may have begun while the queues were looked at: this attempt is none of its.
  if (taskIdOf(driver.run.identity, { step, member, attempt }) !== id) return;
  const failure = failureOf(fate, nodename);
  driver.see({ step, member, attempt, seen: fate === 'Lost' ? 'Lost' : 'Failed', failure });
}

function failureOf(fate: Vanished['fate'], nodename: string | undefined): Failure {
  const worker = nodename === undefined ? 'its worker' : `worker ${nodename}`;
  if (fate === 'Lost') {
    const gone = nodename === undefined ? 'its message vanished without a result' : `${worker}, which had it, is gone`;
    return engineFailure('WorkerLost', gone);
  }
  const causes = 'it raised Ignore or Reject, its result is ignored or stored elsewhere, or its message is unreadable';
  return engineFailure('NoResult', `${worker} is done with it and stored no result: ${causes}`);
}
