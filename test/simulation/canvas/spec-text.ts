import { epochMs } from '../kernel/timeline.ts';
import type { Argument, Canvas, Element, Task } from './canvas.ts';

/** The spec as an author would write it, as JSON text. `more` are further fields of the run. */
export function specText({ root, finally: last, maxParallel }: Canvas, more: object = {}): string {
  const fields = [elementText(root).slice(1, -1)];
  if (last.length > 0) fields.push(`"finally":${listText(last)}`);
  if (maxParallel !== undefined) fields.push(`"maxParallel":${maxParallel}`);
  for (const [name, value] of Object.entries(more)) fields.push(`"${name}":${JSON.stringify(value)}`);
  return `{${fields.join(',')}}`;
}

function listText(elements: readonly Element[]): string {
  return `[${elements.map(elementText).join(',')}]`;
}

function elementText(element: Element): string {
  return `{${innerText(element)}${commonText(element)}}`;
}

function innerText(element: Element): string {
  switch (element.kind) {
    case 'task':
      return taskText(element);
    case 'chord':
      return `"chord":{"header":${listText(element.header)},"body":${elementText(element.body)}}`;
    case 'map': {
      const { over, each } = element;
      const source =
        over === 'input' ? '' : typeof over === 'number' ? `,"range":${over}` : `,"over":[${over.join(',')}]`;
      const what = element.isBare === true ? innerText(each) : `"each":${elementText(each)}`;
      const chunk = element.chunk === undefined ? '' : `,"chunk":${element.chunk}`;
      return `"map":{${what}${source}${chunk}${element.unpack === true ? ',"unpack":true' : ''}}`;
    }
    default:
      return `"${element.kind}":${listText(element.members)}`;
  }
}

function taskText(task: Task): string {
  const fields = [`"task":"${task.task}"`];
  if (task.args.length > 0) fields.push(`"args":[${task.args.map(argumentText).join(',')}]`);
  if (task.kwargs !== '{}') fields.push(`"kwargs":${argumentText(task.kwargs)}`);
  if (task.immutable) fields.push('"immutable":true');
  if (task.priority !== undefined) fields.push(`"priority":${task.priority}`);
  return [...fields, ...timesText(task)].join(',');
}

function timesText({ countdownMs, etaMs, expires, waitLimitMs, timeLimitMs, retry }: Task): readonly string[] {
  const fields: string[] = [];
  if (countdownMs !== undefined) fields.push(`"countdown":"${countdownMs}ms"`);
  if (etaMs !== undefined) fields.push(`"eta":"${momentText(etaMs)}"`);
  if (expires !== undefined)
    fields.push(`"expires":"${'atMs' in expires ? momentText(expires.atMs) : `${expires.afterMs}ms`}"`);
  if (waitLimitMs !== undefined) fields.push(`"waitLimit":"${waitLimitMs}ms"`);
  if (timeLimitMs !== undefined) fields.push(`"timeLimit":"${timeLimitMs}ms"`);
  if (retry !== undefined) {
    const jitter = retry.jitter ? '' : ',"jitter":false';
    const queue = retry.escalateTo === undefined ? '' : `,"escalateTo":"${retry.escalateTo}"`;
    fields.push(`"retry":{"maxRetries":${retry.maxRetries},"backoff":"${retry.backoffMs}ms"${jitter}${queue}}`);
  }
  return fields;
}

function momentText(virtualMs: number): string {
  return new Date(epochMs + virtualMs).toISOString();
}

function argumentText(argument: Argument): string {
  if (typeof argument === 'string') return argument;
  return `${argument.before ?? ''}{"$result":"${argument.name}"}${argument.after ?? ''}`;
}

function commonText({ name, when, continues, link, linkError }: Element): string {
  return (
    (name === undefined ? '' : `,"name":"${name}"`) +
    (when === undefined ? '' : `,"when":${JSON.stringify(when.text)}`) +
    (continues === true ? ',"onFailure":"Continue"' : '') +
    (link.length === 0 ? '' : `,"link":${listText(link)}`) +
    (linkError.length === 0 ? '' : `,"linkError":${listText(linkError)}`)
  );
}
