import { elementsOf, membersOf, type Canvas } from './canvas.ts';
import type { Difference } from './difference.ts';
import {
  endOf,
  failedMembers,
  fails,
  failsInHeader,
  hasErrback,
  hasLink,
  isEmptyGroup,
  isGroup,
  joinsOf,
  stepsOf,
  visitReached,
} from './shape.ts';

/** Where Celery 5.7 does otherwise than its user guide says of canvases, or than the guide leads one to expect. */
export interface NativeDefect {
  readonly name: string;
  /** The least canvas that shows it. */
  readonly example: string;
  /** What it can change, and nothing else. */
  readonly differences: readonly Difference[];
  /** Whether it lies in this element, which the canvas reaches. */
  readonly isIn: (element: Canvas, isStep: boolean) => boolean;
  /** It need not be reached: the canvas is refused as it is built. Default false. */
  readonly isAnywhere?: true;
}

const inResults: readonly NativeDefect[] = [
  {
    name: 'a group that ends a member of a group or a header is flattened, and reversed in a header',
    example: 'chord([group(t0, t1), t2], t3)',
    differences: ['OtherValue', 'OtherArguments'],
    isIn: (element) =>
      (isGroup(element) ? element.group : 'chord' in element ? element.chord.header : []).some((each) =>
        isGroup(endOf(each)),
      ),
  },
  {
    name: 'an empty group is left out',
    example: 'chain(t0, group(), t1)',
    differences: ['Refused', 'OtherValue', 'OtherArguments'],
    isIn: isEmptyGroup,
  },
  {
    name: 'a group of one in a chain is that one',
    example: 'chain(group(t0), t1)',
    differences: ['OtherValue', 'OtherArguments'],
    isIn: (element, isStep) => isStep && isGroupOfOne(endOf(element)),
  },
  {
    name: 'what follows two groups is run for each member of the second',
    example: 'chain(group(t0, t1), group(t2, t3), group(t4, t5))',
    differences: ['ExtraCall', 'OtherArguments', 'OtherEnd'],
    isIn: (element) => {
      const [first, second, third] = stepsOf(element);
      if (first === undefined || second === undefined || third === undefined || 'task' in first) return false;
      if (!isGroup(second)) return 'chord' in second && isGroup(endOf(second));
      return isGroup(third) || membersOf(element).some((each) => 'chain' in each && stepsOf(each)[0] === third);
    },
  },
  {
    name: 'a body that is a chain of one group is given nothing',
    example: 'chord([t0, t1], chain(group(t2, t3)))',
    differences: ['OtherArguments'],
    isIn: (element) =>
      joinsOf(element).some(({ body }) => 'chain' in body && stepsOf(body).length === 1 && isGroup(stepsOf(body)[0])),
  },
];

const thatNeverEnd: readonly NativeDefect[] = [
  {
    name: 'a failed header within a header leaves the outer chord pending',
    example: 'chord([chord([t0✗], t1), t2], t3)',
    differences: ['NeverEnds', 'MissingCall'],
    isIn: (element) => joinsOf(element).some(({ header }) => header.some((each) => fails(each) && failsInHeader(each))),
  },
  {
    name: 'a chord whose body is a chord never ends when the header fails',
    example: 'chord([t0, t1✗], chord([t2], t3))',
    differences: ['NeverEnds', 'MissingCall'],
    isIn: (element) => joinsOf(element).some(({ header, joinsAgain }) => joinsAgain && header.some(fails)),
  },
  {
    name: 'what fails before the group at the end of a chain never ends',
    example: 'chain(t0, t1✗, group(t2, t3))',
    differences: ['NeverEnds'],
    isIn: (element) =>
      ('chain' in element && isGroup(endOf(element)) && element.chain.slice(0, -1).some(fails)) ||
      joinsOf(element).some(({ header, body }) => header.some(fails) && 'chain' in body && isGroup(endOf(body))),
  },
  {
    name: 'an empty group at the end of a chord in a header leaves the outer chord pending',
    example: 'chord([chord([t0], group())], t1)',
    differences: ['NeverEnds', 'MissingCall'],
    isIn: (element) =>
      joinsOf(element).some(({ header }) => header.some((each) => 'chord' in each && isEmptyGroup(endOf(each)))),
  },
  {
    name: 'a failure before an empty group is forgotten',
    example: 'chord([t0✗], group())',
    differences: ['NeverEnds', 'OtherEnd', 'ExtraCall', 'MissingCall'],
    isIn: (element) =>
      joinsOf(element).some(({ header, body }) => header.some(fails) && elementsOf(body).some(isEmptyGroup)) ||
      ('chain' in element && isEmptyGroup(endOf(element)) && fails(element)),
  },
];

const inCallbacks: readonly NativeDefect[] = [
  {
    name: 'a callback of a group is called for its first member, without a result',
    example: 'group(t0, t1)>t2',
    differences: ['ExtraCall', 'OtherArguments'],
    isIn: (element) => hasLink(element) && isGroup(endOf(element)),
  },
  {
    name: 'a callback of a group takes the place of those of its members',
    example: 'chain(t0, group(t1>t2, t3>t4))>t5',
    differences: ['MissingCall'],
    isIn: (element) => {
      const end = endOf(element);
      return hasLink(element) && isGroup(end) && (membersOf(end).some(hasLink) || (end !== element && hasLink(end)));
    },
  },
  {
    name: 'a callback cannot be linked to an empty group',
    example: 'group()>t0',
    differences: ['Refused', 'MissingCall'],
    isAnywhere: true,
    isIn: (element) => hasLink(element) && isEmptyAtFirst(endOf(element)),
  },
  {
    name: 'a chain that is all of a chain loses its callbacks and errbacks',
    example: 'chain(chain(t0, t1)>t2)',
    differences: ['MissingCall'],
    isIn: (element) =>
      'chain' in element &&
      element.chain.length === 1 &&
      element.chain.some((each) => ('chain' in each || isGroupOfOne(each)) && (hasLink(each) || hasErrback(each))),
  },
  {
    name: 'the handlers of a chain of two joins within a chain wait for the outer chain',
    example: 'chain(chain(group(t0, t1), t2, chord([t3], t4))>t5, t6)',
    differences: ['OtherArguments', 'OtherFailureTold', 'ExtraCall', 'MissingCall'],
    isIn: (element) =>
      'chain' in element &&
      element.chain
        .slice(0, -1)
        .some(
          (each) =>
            'chain' in each &&
            (hasLink(each) || hasErrback(each)) &&
            isGroup(stepsOf(each)[0]) &&
            joinsOf(each).length > 1,
        ),
  },
];

const inErrbacks: readonly NativeDefect[] = [
  {
    name: 'an errback of a group is called for each member that failed',
    example: 'group(t0✗, t1✗)~t2',
    differences: ['ExtraCall'],
    isIn: (element) => hasErrback(element) && failedMembers(element) > 1,
  },
  {
    name: 'the errback of a chord is called once more for a body that failed in its header',
    example: 'chord([chord([t0], t1✗), t2], t3)~t4',
    differences: ['ExtraCall'],
    isIn: (element) =>
      hasErrback(element) &&
      elementsOf(element)
        .flatMap(joinsOf)
        .some(({ header }) => header.some((each) => 'chord' in each && fails(each.chord.body))),
  },
  {
    name: 'a chord that is the body of a chord loses its errbacks',
    example: 'chain(chord([t0], chord([t1✗], t2)~t3), t4)',
    differences: ['MissingCall'],
    isIn: (element) => joinsOf(element).some(({ body }) => 'chord' in body && hasErrback(body) && fails(body)),
  },
  {
    name: 'the errback of a chord is told of its body, not of the task that failed',
    example: 'chord([t0✗, t1], t2)~t3',
    differences: ['OtherFailureTold'],
    isIn: (element) => hasErrback(element) && failsInHeader(element),
  },
  {
    name: 'the errbacks of a body that never ran are called',
    example: 'chord([t0✗, t1], t2~t3)',
    differences: ['ExtraCall'],
    isIn: (element) => joinsOf(element).some(({ header, body }) => header.some(fails) && errbacksFrom(element, body)),
  },
];

export const nativeDefects: readonly NativeDefect[] = [...inResults, ...thatNeverEnd, ...inCallbacks, ...inErrbacks];

/** The defects that lie in a canvas, as far as it is run. */
export function defectsIn(canvas: Canvas): readonly NativeDefect[] {
  const found = new Set<NativeDefect>();
  for (const defect of nativeDefects) {
    if (defect.isAnywhere === true && elementsOf(canvas).some((each) => defect.isIn(each, false))) found.add(defect);
  }
  visitReached(canvas, (element, isStep) => {
    for (const defect of nativeDefects) if (defect.isIn(element, isStep)) found.add(defect);
  });
  return nativeDefects.filter((each) => found.has(each));
}

function isGroupOfOne(element: Canvas): boolean {
  return isGroup(element) && element.group.length === 1;
}

/** Whether errbacks stand in a part of an element, or on a chain within the element that the part belongs to. */
function errbacksFrom(element: Canvas, part: Canvas): boolean {
  const around = elementsOf(element).filter((each) => each !== element && elementsOf(each).includes(part));
  return [...around, ...elementsOf(part)].some(hasErrback);
}

function isEmptyAtFirst(element: Canvas | undefined): boolean {
  return isEmptyGroup(element) || (isGroup(element) && isEmptyAtFirst(element.group[0]));
}
