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
      return `"map":{"each":${elementText(each)}${source}}`;
    }
    default:
      return `"${element.kind}":${listText(element.members)}`;
  }
}

function taskText({ task, args, kwargs, immutable, countdownMs, retry }: Task): string {
  return (
    `"task":"${task}","args":[${args.map(argumentText).join(',')}],"kwargs":${kwargs}` +
    (immutable ? ',"immutable":true' : '') +
    (countdownMs === undefined ? '' : `,"countdown":"${countdownMs}ms"`) +
    (retry === undefined ? '' : `,"retry":{"maxRetries":${retry.maxRetries},"backoff":"${retry.backoffMs}ms"}`)
  );
}

function argumentText(argument: Argument): string {
  return typeof argument === 'string' ? argument : `{"$result":"${argument.name}"}`;
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
