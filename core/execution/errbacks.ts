import { prepend } from '../base/json-span.ts';
import { stringifyJson, type JsonText } from '../base/json-text.ts';
import { encodeException } from '../celery/exception.ts';
import { decodeSignature, type Signature } from '../celery/signature.ts';
import type { TaskMessage, TaskMessageDraft } from '../celery/task-message.ts';
import { draftOf, groupTuple, taskTuple } from './apply-signature.ts';
import type { Raised } from './outcome.ts';
import type { SettleContext } from './settle-context.ts';

/** Who failed, as an errback is told. */
export type FailedTask = Pick<
  TaskMessage,
  'id' | 'task' | 'argsText' | 'kwargsText' | 'retries' | 'rootId' | 'parentId'
>;

interface Errbacks {
  readonly drafts: readonly TaskMessageDraft[];
  readonly children: readonly JsonText[];
}

/**
 * The errbacks of a failed task as one group, as Celery publishes those that it cannot call itself. An errback that this
 * worker knows and that takes more than one argument gets `(request, exc, traceback)` as JSON, any other the failed id.
 */
export function errbackDrafts(message: TaskMessage, raised: Raised, context: SettleContext): Errbacks {
  const { errbacks } = message.embed;
  if (errbacks.length === 0) return { drafts: [], children: [] };
  const group = context.newId();
  const drafts = errbacks.flatMap((text, index) => {
    const errback = decodeSignature(text);
    if (!errback.ok) return [];
    const argsText = errbackArgs(errback.value, message, raised, context);
    const given = { parent: message, first: undefined, chain: [], context, member: { group, index, chord: undefined } };
    return [draftOf({ ...errback.value, argsText }, given)];
  });
  return {
    drafts,
    children: [
      groupTuple(
        group,
        drafts.map(({ id }) => taskTuple(id)),
      ),
    ],
  };
}

/** The arguments of an errback's call. */
export function errbackArgs(
  errback: Signature,
  failed: FailedTask,
  raised: Raised,
  context: Pick<SettleContext, 'arityOf'>,
): JsonText {
  if (errback.immutable) return errback.argsText;
  const told = takesFailure(errback.task, context)
    ? [requestText(failed), encodeException(raised.exception), stringifyJson(raised.traceback)]
    : [stringifyJson(failed.id)];
  return told.reduceRight((rest, each) => prepend(each, rest), errback.argsText);
}

/** Celery asks the same of a function that it knows: more than one positional argument. */
export function takesFailure(task: string, { arityOf }: Pick<SettleContext, 'arityOf'>): boolean {
  return (arityOf(task) ?? 0) > 1;
}

function requestText({ id, task, retries, rootId, parentId, argsText, kwargsText }: FailedTask): JsonText {
  const fixed = stringifyJson({ id, task, retries, root_id: rootId, parent_id: parentId });
  return `${fixed.slice(0, -1)},"args":${argsText},"kwargs":${kwargsText}}` as JsonText;
}
