import { entries } from '../base/json-span.ts';
import type { JsonText } from '../base/json-text.ts';
import type { DecodeError } from '../celery/decode-error.ts';
import {
  decodeSignature,
  decodeString,
  encodeSignature,
  listOption,
  signature,
  stringOption,
  type Signature,
} from '../celery/signature.ts';
import type { TaskMessage } from '../celery/task-message.ts';
import { applySignature } from './apply-signature.ts';
import type { Raised } from './outcome.ts';
import { failTask, nothing, raisedBy, type ChordPart, type Leavings } from './settle.ts';
import type { SettleContext } from './settle-context.ts';

/** The chord's body with the members' results prepended, as a message; or its failure, when a member failed. */
export function settleChord(
  member: TaskMessage,
  part: ChordPart,
  listOrError: { readonly listText: JsonText } | { readonly error: Raised },
  context: SettleContext,
): Leavings {
  const body = decodeSignature(part.body);
  if (!body.ok) return failUnreadable(member, part, body.error, context);
  if ('error' in listOrError) return failBody(member, body.value, listOrError.error, context);
  const given = { parent: member, first: listOrError.listText, chain: [], context };
  const applied = applySignature(encodeSignature(body.value), given);
  if (applied.ok) return { ...nothing, publish: applied.value.drafts, chordSizes: applied.value.chordSizes };
  return failBody(member, body.value, unpublished(applied.error), context);
}

/** Whoever waits for the body is told that it will never run. */
function failBody(member: TaskMessage, body: Signature, raised: Raised, context: SettleContext): Leavings {
  const { task, argsText, kwargsText } = body;
  const id = stringOption(body, 'task_id') ?? context.newId();
  const asMessage = { ...member, task, argsText, kwargsText, id, group: null, groupIndex: null, parentId: null };
  const [chain, errbacks] = [listOption(body, 'chain'), listOption(body, 'link_error')];
  return failTask({ ...asMessage, embed: { callbacks: [], errbacks, chain, chord: undefined } }, raised, context);
}

/** A body that is no signature may still say under which id its result is awaited. */
function failUnreadable(member: TaskMessage, part: ChordPart, error: DecodeError, context: SettleContext): Leavings {
  const id = decodeString(entries(entries(part.body)?.get('options') ?? '')?.get('task_id'));
  if (id === undefined) return nothing;
  const options = new Map([['task_id', JSON.stringify(id) as JsonText]]);
  return failBody(member, signature('unknown', { options }), unpublished(error), context);
}

function unpublished({ message }: DecodeError): Raised {
  return raisedBy('ChordError', `the body of the chord could not be published: ${message}`);
}
