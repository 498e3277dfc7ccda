import { parseCondition } from '#core/expressions/condition.ts';
import type { Canvas, Element, TaskElement } from './element.ts';

/** Every name whose result an argument or a condition of the canvas asks for. */
export function referredNames(canvas: Canvas): ReadonlySet<string> {
  const found = new Set<string>();
  collect(canvas.root, found);
  for (const task of canvas.finally) collectTask(task, found);
  return found;
}

function collect(element: Element, found: Set<string>): void {
  if (element.when !== undefined) {
    const parsed = parseCondition(element.when);
    if (parsed.ok) for (const name of parsed.value.stepNames) found.add(name);
  }
  for (const handler of [...element.link, ...element.linkError]) collectTask(handler, found);
  if (element.kind === 'Task') collectTask(element, found);
  for (const member of innerOf(element)) collect(member, found);
}

function collectTask({ args, kwargs }: TaskElement, found: Set<string>): void {
  for (const text of [...args, kwargs]) {
    if (typeof text === 'string') continue;
    for (const part of text) if (typeof part !== 'string') found.add(part.name);
  }
}

function innerOf(element: Element): readonly Element[] {
  switch (element.kind) {
    case 'Task':
      return [];
    case 'Chord':
      return [...element.header, element.body];
    case 'Map':
      return [element.each];
    default:
      return element.members;
  }
}
