import { elementsOf, membersOf, type Canvas, type CanvasGroup } from './canvas.ts';
import { referenceOutcome } from './reference.ts';

/** A header and what follows it: a chord, or a group with a step after it. */
export interface Join {
  readonly header: readonly Canvas[];
  readonly body: Canvas;
  /** The body is a join itself, or becomes one with the step after it. */
  readonly joinsAgain: boolean;
}

export function isGroup(element: Canvas | undefined): element is CanvasGroup {
  return element !== undefined && 'group' in element;
}

export function isEmptyGroup(element: Canvas | undefined): boolean {
  return isGroup(element) && element.group.length === 0;
}

/** A task's result depends on nothing that comes in, so an element fails or not wherever it stands. */
export function fails(element: Canvas): boolean {
  return referenceOutcome(element).state === 'Failed';
}

/** The element whose result it gives: of a chain its last step, of a chord its body. */
export function endOf(element: Canvas): Canvas {
  if ('chain' in element) return endOf(element.chain.at(-1)!);
  if ('chord' in element) return endOf(element.chord.body);
  return element;
}

/** Steps of a chain, with those of chains within it in their place; of anything else, itself. */
export function stepsOf(element: Canvas): readonly Canvas[] {
  return 'chain' in element ? element.chain.flatMap(stepsOf) : [element];
}

/** The joins of an element, less those of its members. */
export function joinsOf(element: Canvas): readonly Join[] {
  const steps = stepsOf(element);
  return steps.flatMap((step, i) => {
    const next = steps[i + 1];
    const joins: Join[] = [];
    if ('chord' in step) {
      const { header, body } = step.chord;
      const joinsNext = next !== undefined && isGroup(endOf(body));
      joins.push({ header, body, joinsAgain: joinsOf(body).length > 0 || joinsNext });
    }
    const end = endOf(step);
    if (isGroup(end) && next !== undefined) {
      const joinsNext = isGroup(endOf(next)) && steps.length > i + 2;
      joins.push({ header: end.group, body: next, joinsAgain: joinsOf(next).length > 0 || joinsNext });
    }
    return joins;
  });
}

/** Whether what makes it fail is a header. */
export function failsInHeader(element: Canvas): boolean {
  const isOwn = joinsOf(element).some(({ header }) => header.some(fails));
  return isOwn || membersOf(element).filter(fails).some(failsInHeader);
}

/** How many members of groups and headers in it failed. */
export function failedMembers(element: Canvas): number {
  const own = (each: Canvas): readonly Canvas[] =>
    isGroup(each) ? each.group : 'chord' in each ? each.chord.header : [];
  return elementsOf(element).flatMap(own).filter(fails).length;
}

export function hasLink({ link = [] }: Canvas): boolean {
  return link.length > 0;
}

export function hasErrback({ linkError = [] }: Canvas): boolean {
  return linkError.length > 0;
}

/** Visits what is run of a canvas: nothing after a failure, no body after a header that failed. */
export function visitReached(element: Canvas, visit: (element: Canvas, isStep: boolean) => void, isStep = false): void {
  visit(element, isStep);
  if ('chain' in element) {
    for (const step of element.chain) {
      visitReached(step, visit, true);
      if (fails(step)) return;
    }
  } else if ('chord' in element) {
    const { header, body } = element.chord;
    for (const member of header) visitReached(member, visit);
    if (!header.some(fails)) visitReached(body, visit);
  } else for (const member of membersOf(element)) visitReached(member, visit);
}
