import { isoOf } from '../base/iso-date.ts';
import { nullText, type JsonText } from '../base/json-text.ts';
import { ok, type Result } from '../base/result.ts';
import { noteIdOf } from '../base/task-id.ts';
import { decodeSignature, stringOption } from '../celery/signature.ts';
import type { DecodeError } from '../celery/decode-error.ts';
import { celeryException, encodeException } from '../celery/exception.ts';
import type { ResultMeta } from '../celery/result-meta.ts';
import { deliveriesHeader, type TaskMessage, type TaskMessageDraft } from '../celery/task-message.ts';
import { applySignature, groupTuple, taskTuple, type Applied } from './apply-signature.ts';
import { errbackDrafts } from './errbacks.ts';
import type { EndOutcome, Outcome, Raised } from './outcome.ts';
import type { SettleContext } from './settle-context.ts';

/** What a finished run leaves behind, in the order in which it is done. */
export interface Leavings {
  /** Counts of chords that this run starts: written before their header is out. */
  readonly chordSizes: ReadonlyMap<string, number>;
  readonly publish: readonly TaskMessageDraft[];
  readonly store: readonly ResultMeta[];
  /** This run's part of a chord: counted after the result is stored. */
  readonly chordPart: ChordPart | undefined;
  /** Set when the message is kept for people to look at. */
  readonly deadLetter: { readonly reason: string; readonly message: string } | undefined;
}

/** One member's report to its chord. */
export interface ChordPart {
  readonly groupId: string;
  readonly index: number | null;
  readonly status: string;
  readonly resultText: JsonText;
  /** The chord's body: one signature. */
  readonly body: JsonText;
}

/** Of a run that leaves nothing behind. */
export const nothing: Leavings = {
  chordSizes: new Map(),
  publish: [],
  store: [],
  chordPart: undefined,
  deadLetter: undefined,
};

/** What Celery's worker does with a task that ended so; see celery/app/trace.py and celery/backends/base.py. */
export function settle(message: TaskMessage, outcome: EndOutcome, context: SettleContext): Leavings {
  switch (outcome.kind) {
    case 'Succeeded':
      return succeed(message, outcome.resultText, context);
    case 'Failed':
      return failTask(message, outcome, context);
    case 'Retried':
      return retry(message, outcome, context);
    case 'Ignored':
      return { ...nothing, store: noted(message, context) };
    case 'Revoked':
      return revoke(message, outcome.reason, context);
    case 'NotRegistered':
      return { ...nothing, store: stored(message, 'FAILURE', raisedBy('NotRegistered', message.task), context) };
    case 'Lost':
      return failTask(message, raisedBy('WorkerLostError', outcome.message), context);
    case 'TimedOut':
      return failTask(message, raisedBy('TimeLimitExceeded', outcome.hardSeconds), context);
    case 'Poisonous':
      return poison(message, outcome.deliveries, context);
  }
}

function succeed(message: TaskMessage, resultText: JsonText, context: SettleContext): Leavings {
  const started = startFollowers(message, resultText, context);
  if (!started.ok) {
    const error = celeryException(
      'EncodeError',
      `what follows this task could not be published: ${started.error.message}`,
    );
    return failTask(message, { exception: error, traceback: null }, context);
  }
  const { drafts, children, chordSizes } = started.value;
  const meta = metaOf(message, { status: 'SUCCESS', resultText, children, traceback: null }, context);
  return {
    ...nothing,
    chordSizes,
    publish: drafts,
    store: message.ignoreResult === true ? [] : [meta],
    chordPart: chordPartOf(message, 'SUCCESS', resultText),
  };
}

interface Followers {
  readonly drafts: readonly TaskMessageDraft[];
  readonly children: readonly JsonText[];
  readonly chordSizes: ReadonlyMap<string, number>;
}

/** Callbacks first, then the next step of the chain. All or nothing. */
function startFollowers(message: TaskMessage, first: JsonText, context: SettleContext): Result<Followers, DecodeError> {
  const { callbacks, chain } = message.embed;
  const given = { parent: message, first, chain: [], context };
  const applied: Applied[] = [];
  const group = context.newId();
  for (const [index, text] of callbacks.entries()) {
    // Several callbacks become one group, a single one stays by itself.
    const member = callbacks.length > 1 ? { member: { group, index, chord: undefined } } : {};
    const each = applySignature(text, { ...given, ...member });
    if (!each.ok) return each;
    applied.push(each.value);
  }
  const tuples = applied.map(({ child }) => child);
  const children = callbacks.length > 1 ? [groupTuple(group, tuples)] : tuples;
  const next = chain.at(-1);
  if (next !== undefined) {
    const each = applySignature(next, { ...given, chain: chain.slice(0, -1) });
    if (!each.ok) return each;
    applied.push(each.value);
    children.push(each.value.child);
  }
  const drafts = applied.flatMap((each) => each.drafts);
  return ok({ drafts, children, chordSizes: new Map(applied.flatMap((each) => [...each.chordSizes])) });
}

/** What a task leaves behind that failed. */
export function failTask(message: TaskMessage, raised: Raised, context: SettleContext): Leavings {
  const exceptionText = encodeException(raised.exception);
  const { drafts, children } = errbackDrafts(message, raised, context);
  const own = metaOf(
    message,
    { status: 'FAILURE', resultText: exceptionText, children, traceback: raised.traceback },
    context,
  );
  const ignores = message.ignoreResult === true;
  return {
    ...nothing,
    publish: drafts,
    store: ignores
      ? []
      : [own, ...laterSteps(message).map((id) => ({ ...own, id, children: [], groupId: null, parentId: null }))],
    chordPart: chordPartOf(message, 'FAILURE', exceptionText),
  };
}

/** The ids of everything that can no longer run, last one first as they stand in the chain. */
function laterSteps(message: TaskMessage): readonly string[] {
  return message.embed.chain.flatMap((text) => {
    const step = decodeSignature(text);
    return (step.ok ? stringOption(step.value, 'task_id') : undefined) ?? [];
  });
}

/** The same message once more, under the same id, with everything that it carries. */
function retry(message: TaskMessage, outcome: Outcome & { kind: 'Retried' }, context: SettleContext): Leavings {
  const { maxRetries, afterSeconds } = outcome;
  if (maxRetries !== null && message.retries >= maxRetries) {
    const text = `Can't retry ${message.task}[${message.id}]: all ${maxRetries} retries are used`;
    return failTask(message, outcome.isBare ? raisedBy('MaxRetriesExceededError', text) : outcome, context);
  }
  const headers = new Map(message.headers);
  headers.delete(deliveriesHeader);
  const draft: TaskMessageDraft = {
    ...message,
    headers,
    parentId: message.parentId ?? message.id,
    retries: message.retries + 1,
    eta: afterSeconds > 0 ? isoOf(context.nowMs + afterSeconds * 1_000) : null,
    queue: message.routingKey,
    deliveryTag: context.newId(),
    origin: context.origin,
  };
  const resultText = encodeException(outcome.exception);
  const body = { status: 'RETRY', resultText, children: [taskTuple(message.id)], traceback: outcome.traceback };
  const meta = { ...metaOf(message, body, context), dateDone: null };
  return { ...nothing, publish: [draft], store: message.ignoreResult === true ? [] : [meta] };
}

/** Nothing is stored under the task's id, as in Celery; whose message it was is told beside it. */
function noted({ id }: TaskMessage, { nowMs }: SettleContext): ResultMeta[] {
  const noteId = noteIdOf(id);
  if (noteId === undefined) return [];
  return [{ id: noteId, status: 'IGNORED', resultText: nullText, dateDone: isoOf(nowMs) }];
}

/** Nobody is called, as in Celery; but a chord learns of it, so that its body does not wait for ever. */
function revoke(message: TaskMessage, reason: string, context: SettleContext): Leavings {
  const raised = raisedBy('TaskRevokedError', reason);
  const resultText = encodeException(raised.exception);
  return {
    ...nothing,
    store: stored(message, 'REVOKED', raised, context),
    chordPart: chordPartOf(message, 'REVOKED', resultText),
  };
}

function poison(message: TaskMessage, deliveries: number, context: SettleContext): Leavings {
  const text = `the worker was lost each of the ${deliveries} times that it was given this message`;
  const leavings = failTask(message, raisedBy('PoisonMessage', text), context);
  return { ...leavings, deadLetter: { reason: 'Poison', message: text } };
}

/** One of Celery's own exceptions, raised nowhere in particular. */
export function raisedBy(type: Parameters<typeof celeryException>[0], ...args: readonly unknown[]): Raised {
  return { exception: celeryException(type, ...args), traceback: null };
}

function stored(message: TaskMessage, status: string, raised: Raised, context: SettleContext): ResultMeta[] {
  const resultText = encodeException(raised.exception);
  return [metaOf(message, { status, resultText, children: [], traceback: raised.traceback }, context)];
}

type MetaBody = Pick<ResultMeta, 'status' | 'resultText' | 'children' | 'traceback'>;

function metaOf(message: TaskMessage, body: MetaBody, context: SettleContext): ResultMeta {
  const { id, group, parentId } = message;
  return { ...body, id, dateDone: isoOf(context.nowMs), groupId: group, parentId };
}

function chordPartOf(message: TaskMessage, status: string, resultText: JsonText): ChordPart | undefined {
  const { embed, group, groupIndex } = message;
  if (embed.chord === undefined || group === null) return undefined;
  return { groupId: group, index: groupIndex, status, resultText, body: embed.chord };
}
