import { arrayOf, elements, entries, prepend } from '../base/json-span.ts';
import { nullText, type JsonText } from '../base/json-text.ts';
import { ok, type Result } from '../base/result.ts';
import { malformed, type DecodeError } from '../celery/decode-error.ts';
import { decodeSignature, encodeSignature, listOption, stringOption, type Signature } from '../celery/signature.ts';
import type { TaskMessage, TaskMessageDraft } from '../celery/task-message.ts';
import { isoOf } from '../base/iso-date.ts';
import type { SettleContext } from './settle-context.ts';

/** The messages that a signature becomes, and the result tuple that its parent lists among its children. */
export interface Applied {
  readonly drafts: readonly TaskMessageDraft[];
  readonly child: JsonText;
  /** Chords whose header is among the drafts: the expected counts must stand before the header is out. */
  readonly chordSizes: ReadonlyMap<string, number>;
}

/** What the parent gives to what it starts. */
export interface Given {
  readonly parent: TaskMessage;
  /** Prepended to the arguments unless the signature is immutable: the parent's result. */
  readonly first: JsonText | undefined;
  /** Steps of the parent's chain that follow, last one first. */
  readonly chain: readonly JsonText[];
  readonly context: SettleContext;
  /** As a member: its group and place. */
  readonly member?: { readonly group: string; readonly index: number; readonly chord: JsonText | undefined };
}

const noSizes: ReadonlyMap<string, number> = new Map();

/** Applies a signature as `Signature.apply_async` of Celery does inside a worker. */
export function applySignature(text: JsonText, given: Given): Result<Applied, DecodeError> {
  const decoded = decodeSignature(text);
  if (!decoded.ok) return decoded;
  switch (decoded.value.subtaskType) {
    case 'chain':
      return applyChain(decoded.value, given);
    case 'group':
      return applyGroup(decoded.value, given);
    case 'chord':
      return applyChord(decoded.value, given);
    default:
      return ok(applyTask(decoded.value, given));
  }
}

function applyTask(signature: Signature, given: Given): Applied {
  const draft = draftOf(signature, given);
  return { drafts: [draft], child: taskTuple(draft.id), chordSizes: noSizes };
}

/** The first step carries the others. */
function applyChain(signature: Signature, given: Given): Result<Applied, DecodeError> {
  const tasks = elements(entries(signature.kwargsText)?.get('tasks') ?? '');
  const [first, ...rest] = tasks ?? [];
  if (first === undefined) return malformed('MalformedSignature', 'celery.chain has no kwargs.tasks');
  return applySignature(first, { ...given, chain: [...given.chain, ...rest.toReversed()] });
}

/** Every member by itself; what follows a group in a chain is a chord by the time it gets here. */
function applyGroup(signature: Signature, given: Given): Result<Applied, DecodeError> {
  const tasks = elements(entries(signature.kwargsText)?.get('tasks') ?? '');
  if (tasks === undefined) return malformed('MalformedSignature', 'celery.group has no kwargs.tasks');
  const group = stringOption(signature, 'task_id') ?? given.context.newId();
  return applyMembers(tasks, group, { ...given, chain: [] }, undefined);
}

function applyMembers(
  tasks: readonly JsonText[],
  group: string,
  given: Given,
  chord: JsonText | undefined,
): Result<Applied, DecodeError> {
  const drafts: TaskMessageDraft[] = [];
  const children: JsonText[] = [];
  const sizes = new Map<string, number>(chord === undefined ? [] : [[group, tasks.length]]);
  for (const [index, task] of tasks.entries()) {
    const applied = applySignature(task, { ...given, member: { group, index, chord } });
    if (!applied.ok) return applied;
    drafts.push(...applied.value.drafts);
    children.push(applied.value.child);
    for (const [id, size] of applied.value.chordSizes) sizes.set(id, size);
  }
  return ok({ drafts, child: groupTuple(group, children), chordSizes: sizes });
}

/** The header's members count; the body travels with each of them, with the rest of the chain as its own. */
function applyChord(signature: Signature, given: Given): Result<Applied, DecodeError> {
  const parts = chordParts(signature);
  if (!parts.ok) return parts;
  const { tasks, body } = parts.value;
  if (tasks.length === 0) return applySignature(encodeSignature(body), { ...given, first: '[]' as JsonText });
  const group = stringOption(signature, 'task_id') ?? given.context.newId();
  const options = new Map(body.options);
  if (given.chain.length > 0) options.set('chain', arrayOf(given.chain));
  options.set('root_id', quote(given.parent.rootId));
  // Celery says so explicitly, unless priorities are inherited.
  if (!options.has('priority')) options.set('priority', nullText);
  options.set('group_id', quote(group));
  return applyMembers(tasks, group, { ...given, chain: [] }, encodeSignature({ ...body, options }));
}

interface ChordParts {
  readonly tasks: readonly JsonText[];
  readonly body: Signature;
}

function chordParts({ kwargsText }: Signature): Result<ChordParts, DecodeError> {
  const fields = entries(kwargsText);
  const body = decodeSignature(fields?.get('body') ?? nullText);
  if (!body.ok) return body;
  const tasks = headerTasks(fields?.get('header') ?? nullText);
  if (tasks === undefined) return malformed('MalformedSignature', 'celery.chord has no kwargs.header');
  if (tasks.some(isComposite) || body.value.subtaskType !== null) {
    return malformed('MalformedSignature', 'a chord of composites inside a chain is not understood by this worker');
  }
  return ok({ tasks, body: body.value });
}

/** A header is a group's signature or a bare list. */
function headerTasks(header: JsonText): readonly JsonText[] | undefined {
  const list = header.startsWith('[') ? header : entries(entries(header)?.get('kwargs') ?? '')?.get('tasks');
  return list === undefined ? undefined : elements(list);
}

function isComposite(text: JsonText): boolean {
  const decoded = decodeSignature(text);
  return !decoded.ok || (decoded.value.subtaskType !== null && /^(chain|group|chord)$/.test(decoded.value.subtaskType));
}

/** The message of one plain signature. A task without a queue of its own goes where its parent came from. */
export function draftOf(signature: Signature, given: Given): TaskMessageDraft {
  const { parent, first, context } = given;
  const { argsText, kwargsText, immutable, task } = signature;
  return {
    id: stringOption(signature, 'task_id') ?? context.newId(),
    task,
    argsText: immutable || first === undefined ? argsText : prepend(first, argsText),
    kwargsText,
    ...linksOf(signature, given),
    ...timesOf(signature, context),
    rootId: parent.rootId,
    parentId: parent.id,
    ignoreResult: presentOption(signature, 'ignore_result') === 'true',
    stamps: parent.stamps,
    stampedHeaders: parent.stampedHeaders,
    headers: entries(presentOption(signature, 'headers') ?? '{}') ?? new Map(),
    ...destinationOf(signature, parent),
    deliveryTag: context.newId(),
    origin: context.origin,
  };
}

function linksOf(
  signature: Signature,
  { chain, member }: Given,
): Pick<TaskMessageDraft, 'embed' | 'group' | 'groupIndex'> {
  return {
    embed: {
      callbacks: listOption(signature, 'link'),
      errbacks: listOption(signature, 'link_error'),
      chain: [...chain, ...listOption(signature, 'chain')],
      chord: member?.chord ?? presentOption(signature, 'chord'),
    },
    group: member?.group ?? stringOption(signature, 'group_id') ?? null,
    groupIndex: member?.index ?? numberOption(signature, 'group_index') ?? null,
  };
}

function destinationOf(
  signature: Signature,
  parent: TaskMessage,
): Pick<TaskMessageDraft, 'queue' | 'priority' | 'replyTo'> {
  return {
    queue: stringOption(signature, 'queue') ?? stringOption(signature, 'routing_key') ?? parent.routingKey,
    priority: numberOption(signature, 'priority') ?? 0,
    replyTo: stringOption(signature, 'reply_to') ?? parent.replyTo,
  };
}

type Times = Pick<TaskMessageDraft, 'eta' | 'expires' | 'timelimit' | 'shadow'>;

function timesOf(signature: Signature, context: SettleContext): Times {
  const countdown = numberOption(signature, 'countdown');
  const expires = numberOption(signature, 'expires');
  const inSeconds = (seconds: number | undefined): string | null =>
    seconds === undefined ? null : isoOf(context.nowMs + seconds * 1_000);
  return {
    eta: stringOption(signature, 'eta') ?? inSeconds(countdown),
    expires: stringOption(signature, 'expires') ?? inSeconds(expires),
    timelimit: [numberOption(signature, 'time_limit') ?? null, numberOption(signature, 'soft_time_limit') ?? null],
    shadow: stringOption(signature, 'shadow') ?? null,
  };
}

function presentOption(signature: Signature, name: string): JsonText | undefined {
  const text = signature.options.get(name);
  return text === 'null' ? undefined : text;
}

function numberOption(signature: Signature, name: string): number | undefined {
  const text = presentOption(signature, name);
  const value = text === undefined ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A task's result tuple, as `AsyncResult.as_tuple` gives it. */
export function taskTuple(id: string): JsonText {
  return `[[${quote(id)}, null], null]` as JsonText;
}

export function groupTuple(id: string, children: readonly JsonText[]): JsonText {
  return `[[${quote(id)}, null], [${children.join(', ')}]]` as JsonText;
}

function quote(text: string): JsonText {
  return JSON.stringify(text) as JsonText;
}
