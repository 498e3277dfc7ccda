import type { JsonText } from '#core/base/json-text.ts';
import { decodeFailure } from '#core/workflow/failure.ts';
import { slotOf } from '#core/workflow/layout.ts';
import { tickMs } from '#core/workflow/slots.ts';
import type { Task } from '../canvas/canvas.ts';
import { epochMs } from '../kernel/timeline.ts';
import { slotAt, type EndedRun } from './ended-run.ts';
import { keyOf, type ExpectedCall, type Reference } from './expectation.ts';
import { Violation } from './violation.ts';
import type { Sent } from './workflow-case.ts';

/** What nobody may exceed, however slow the connections are, while nothing is broken. */
const mostLateMs = 100;
/** Calls to and fro between a cause and what it leads to, at most: a run that begins is written in three places first. */
const mostCalls = 20;
/** As the schema says where a retry does not. */
const longestBackoffMs = 600_000;

/** When an attempt is due: chance may spread it between the two. Virtual time. */
interface Due {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Nothing is sent or given up before its time; and while nothing is broken, nothing is sent late, nor taken by a worker
 * that should have been given up. Further rounds and forgotten runs begin at moments of their own, and are left out.
 */
export function judgeTimes(ended: EndedRun, reference: Reference): void {
  const { stored, losses, workflow } = ended;
  if (stored.head.round > 0 || stored.head.cancelled !== '' || losses > 0) return;
  for (const sent of workflow.sent) judgeSent(ended, reference, sent);
  for (const call of reference.calls.values()) judgeGivenUp(ended, reference, call);
  for (const claim of workflow.claims) judgeClaim(ended, reference, claim);
}

function judgeSent(ended: EndedRun, reference: Reference, sent: Sent): void {
  const due = dueOf(ended, reference, sent);
  if (due === undefined) return;
  const name = `attempt ${sent.attempt} of ${keyOf(sent.step, sent.member)}`;
  if (sent.atMs < due.fromMs - earlyMs(ended))
    throw new Violation('P15', `${name} was sent at ${textOf(sent.atMs)} and is due at ${textOf(due.fromMs)}`);
  if (sent.isCalm && ended.isPrompt && sent.atMs > due.toMs + lateMs(ended))
    throw new Violation('P15', `${name} was sent at ${textOf(sent.atMs)} and was due at ${textOf(due.toMs)}`);
}

/** An attempt that waited too long did wait so long. */
function judgeGivenUp(ended: EndedRun, reference: Reference, call: ExpectedCall): void {
  const { workflow, stored } = ended;
  const { step, member } = call;
  const slot = slotAt(ended, step, member);
  const at = slot === undefined ? -1 : slotOf(workflow.plan, stored.maps, step, member);
  const atMs = workflow.endedAtMs.get(at);
  if (slot === undefined || atMs === undefined || slot.state === 'Succeeded') return;
  const type = givenUpAs(stored.kept.get(at), ended.mayLose);
  const limit = type && limitOf(ended, reference, { step, member, attempt: slot.attempt })?.[type];
  if (limit === undefined || atMs >= limit.fromMs - earlyMs(ended)) return;
  throw new Violation(
    'P15',
    `${keyOf(step, member)} ended as ${type} at ${textOf(atMs)}, before ${textOf(limit.fromMs)}`,
  );
}

/** A worker refuses by its own clock; slow answers keep the operator's idea of that behind for a while. */
function givenUpAs(kept: JsonText | undefined, mayBeSlow: boolean): 'expires' | 'waitLimit' | undefined {
  const { exc } = decodeFailure(kept);
  if (!exc.includes('"exc_module":"arpeggio"')) return undefined;
  if (exc.includes('"exc_type":"Expired"')) return mayBeSlow ? undefined : 'expires';
  return exc.includes('"exc_type":"WaitLimitExceeded"') ? 'waitLimit' : undefined;
}

/** What has waited too long is taken back before a worker takes it. */
function judgeClaim(ended: EndedRun, reference: Reference, claim: Sent): void {
  if (!claim.isCalm || !ended.isPrompt) return;
  const { expires, waitLimit } = limitOf(ended, reference, claim) ?? {};
  const sent = ended.workflow.sent.find(
    ({ step, member, attempt }) => step === claim.step && member === claim.member && attempt === claim.attempt,
  );
  for (const limit of [expires, waitLimit]) {
    // What was sent after its time is for the worker to refuse.
    if (limit === undefined || (sent?.atMs ?? 0) > limit.toMs || claim.atMs <= limit.toMs + lateMs(ended)) continue;
    const name = `attempt ${claim.attempt} of ${keyOf(claim.step, claim.member)}`;
    throw new Violation(
      'P15',
      `${name} was left in its queue until ${textOf(claim.atMs)}, after ${textOf(limit.toMs)}`,
    );
  }
}

type Attempt = Pick<Sent, 'step' | 'member' | 'attempt'>;

/** Until when an attempt may wait for a worker. */
function limitOf(
  ended: EndedRun,
  reference: Reference,
  attempt: Attempt,
): { readonly expires: Due | undefined; readonly waitLimit: Due | undefined } | undefined {
  const task = taskOf(ended, attempt);
  const due = task === undefined ? undefined : dueOf(ended, reference, attempt);
  if (task === undefined || due === undefined) return undefined;
  const after = (ms: number): Due => ({ fromMs: due.fromMs + ms, toMs: due.toMs + ms });
  const { expires, waitLimitMs } = task;
  const at = expires !== undefined && 'atMs' in expires ? { fromMs: expires.atMs, toMs: expires.atMs } : undefined;
  return {
    expires: at ?? (expires !== undefined && 'afterMs' in expires ? after(expires.afterMs) : undefined),
    waitLimit: waitLimitMs === undefined ? undefined : after(waitLimitMs),
  };
}

/** Undefined where the record does not tell: of a handler of what was cancelled, say. */
function dueOf(ended: EndedRun, reference: Reference, attempt: Attempt): Due | undefined {
  const task = taskOf(ended, attempt);
  const call = reference.calls.get(keyOf(attempt.step, attempt.member));
  if (task === undefined || call === undefined) return undefined;
  return attempt.attempt === 0 ? firstDue(ended, task, { call, reference }) : againDue(ended, task, attempt);
}

function firstDue(
  { workflow, stored }: EndedRun,
  { countdownMs = 0, etaMs = 0 }: Task,
  { call, reference }: { readonly call: ExpectedCall; readonly reference: Reference },
): Due | undefined {
  let lastMs = stored.head.begunAtMs - epochMs;
  for (const before of call.after) {
    const { step, member } = reference.calls.get(before)!;
    const atMs = workflow.endedAtMs.get(slotOf(workflow.plan, stored.maps, step, member));
    if (atMs === undefined) return undefined;
    lastMs = Math.max(lastMs, atMs);
  }
  const dueMs = Math.max(lastMs + countdownMs, etaMs);
  return { fromMs: dueMs, toMs: dueMs };
}

/** A failure is followed by a wait that doubles, a loss by none. */
function againDue(
  { workflow, stored }: EndedRun,
  { retry }: Task,
  { step, member, attempt }: Attempt,
): Due | undefined {
  const slot = slotOf(workflow.plan, stored.maps, step, member);
  const before = Array.from({ length: attempt }, (_, nth) => workflow.again.get(`${slot}.${nth + 1}`));
  const last = before.at(-1);
  if (last === undefined) return undefined;
  if (last.isLost || retry === undefined) return { fromMs: last.atMs, toMs: last.atMs };
  const failures = before.filter((each) => each?.isLost === false).length;
  const fullMs = Math.min(retry.backoffMs * 2 ** (failures - 1), longestBackoffMs);
  return { fromMs: last.atMs + (retry.jitter ? fullMs / 2 : fullMs), toMs: last.atMs + fullMs };
}

function taskOf({ workflow }: EndedRun, { step }: Attempt): Task | undefined {
  const element = workflow.elements[step];
  return element?.kind === 'task' ? element : undefined;
}

/** Times are kept in ticks, and decided upon a moment before they are written. */
function earlyMs({ latencyMs }: EndedRun): number {
  return tickMs + latencyMs;
}

function lateMs({ latencyMs }: EndedRun): number {
  return mostLateMs + mostCalls * latencyMs;
}

function textOf(ms: number): string {
  return `${(ms / 1_000).toFixed(4)} s`;
}
