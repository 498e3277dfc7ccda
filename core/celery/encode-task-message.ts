import type { JsonText } from '../base/json-text.ts';
import { encodeJsonBase64 } from './base64.ts';
import { emptyEmbedText, encodeEmbed } from './embed.ts';
import type { TaskMessageDraft, TimeLimit } from './task-message.ts';

const noTimeLimit: TimeLimit = [null, null];

/**
 * The text that Celery's Redis transport expects in a queue's list: protocol 2, keys in Celery's order. Arguments are
 * spliced in as text, so numbers stay as written. `ignore_result` is always said, for a worker's own default would
 * otherwise decide whether there is a result. `lang` names the task's language and is `py` as in every Celery message:
 * a worker may route by it. The representations of the arguments, which workers put into logs and events, say nothing.
 */
export function encodeTaskMessage(draft: TaskMessageDraft): string {
  const body = `[${draft.argsText},${draft.kwargsText},${draft.embed === undefined ? emptyEmbedText : encodeEmbed(draft.embed)}]`;
  return (
    `{"body":"${encodeJsonBase64(body)}","content-encoding":"utf-8","content-type":"application/json",` +
    `"headers":{${encodeHeaders(draft)}},"properties":{${encodeProperties(draft)}}}`
  );
}

function encodeHeaders(draft: TaskMessageDraft): string {
  const [hard, soft] = draft.timelimit ?? noTimeLimit;
  return (
    `"lang":"py","task":${quote(draft.task)},"id":${quote(draft.id)},"shadow":${nullable(draft.shadow)},` +
    `"eta":${nullable(draft.eta)},"expires":${nullable(draft.expires)},"group":${nullable(draft.group)},` +
    `"group_index":${draft.groupIndex ?? 'null'},"retries":${draft.retries ?? 0},` +
    `"timelimit":[${hard ?? 'null'},${soft ?? 'null'}],"root_id":${quote(draft.rootId ?? draft.id)},` +
    `"parent_id":${nullable(draft.parentId)},"argsrepr":"${hidden(draft.argsText)}",` +
    `"kwargsrepr":"${hidden(draft.kwargsText)}",${encodeLateHeaders(draft)}`
  );
}

function encodeLateHeaders(draft: TaskMessageDraft): string {
  const known =
    `"origin":${quote(draft.origin ?? 'arpeggio')},"ignore_result":${draft.ignoreResult ?? false},` +
    `"replaced_task_nesting":${draft.replacedTaskNesting ?? 0},` +
    `"stamped_headers":${draft.stampedHeaders ?? 'null'},"stamps":${draft.stamps ?? '{}'}`;
  if (draft.headers === undefined || draft.headers.size === 0) return known;
  return `${known},${[...draft.headers].map(([name, text]) => `${quote(name)}:${text}`).join(',')}`;
}

function encodeProperties(draft: TaskMessageDraft): string {
  const expiration = draft.expirationMs === undefined ? '' : `"expiration":"${Math.ceil(draft.expirationMs)}",`;
  return (
    `"correlation_id":${quote(draft.id)},"reply_to":${quote(draft.replyTo ?? '')},"delivery_mode":2,${expiration}` +
    `"delivery_info":{"exchange":"","routing_key":${quote(draft.queue)}},"priority":${draft.priority ?? 0},` +
    `"body_encoding":"base64","delivery_tag":${quote(draft.deliveryTag)}`
  );
}

function hidden(text: JsonText): string {
  const [open, close] = text.startsWith('[') ? '()' : '{}';
  return text.length === 2 ? `${open ?? ''}${close ?? ''}` : `${open ?? ''}...${close ?? ''}`;
}

function nullable(value: string | null | undefined): string {
  return value === null || value === undefined ? 'null' : quote(value);
}

function quote(value: string): string {
  return JSON.stringify(value);
}
