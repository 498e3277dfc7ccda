import { parseCondition } from '#core/expressions/condition.ts';
import type { ArgumentText, Canvas, Element, TaskElement } from './element.ts';
import { referredNames } from './referred-names.ts';
import type { Argument, Plan, PlanStep, StepCondition, StepInput, StepRole } from './plan.ts';

interface Place {
  readonly path: string;
  readonly role: StepRole;
  readonly parent: number;
  readonly map: number;
  readonly input: StepInput;
  readonly valueWanted: boolean;
}

const nothing: StepInput = { from: 'Nothing' };

/** A plan as it is filled: places are taken in pre-order before they are filled, so that indexes never depend on kinds. */
interface Draft {
  readonly steps: (PlanStep | undefined)[];
  readonly names: Map<string, number>;
  /** Names whose value something asks for. */
  readonly referred: ReadonlySet<string>;
}

/**
 * Compiles a canvas to steps and what each takes in. The same canvas always gives the same plan. A name refers to what
 * stands before: `parseWorkflowSpec` has refused everything else, and here it throws RangeError.
 */
export function planOf(canvas: Canvas): Plan {
  const draft: Draft = { steps: [], names: new Map(), referred: referredNames(canvas) };
  const root: Place = { path: 'spec', role: 'Member', parent: -1, map: -1, input: nothing, valueWanted: true };
  addElement(draft, canvas.root, root);
  const last = canvas.finally.map((task, ordinal) =>
    addElement(draft, task, { ...root, path: `spec.finally[${ordinal}]`, role: 'Finally', valueWanted: false }),
  );
  return { steps: draft.steps as PlanStep[], finally: last, names: draft.names };
}

function addElement(draft: Draft, element: Element, place: Place): number {
  const index = draft.steps.length;
  draft.steps.push(undefined);
  if (element.name !== undefined) draft.names.set(element.name, index);
  const when = element.when === undefined ? undefined : conditionOf(draft, element.when, place.path);
  const isReferred = element.name !== undefined && draft.referred.has(element.name);
  const wanted = place.valueWanted || isReferred || element.link.some((task) => !task.immutable);
  const inner = addMembers(draft, element, { ...place, valueWanted: wanted }, index);
  const links = addHandlers(draft, element.link, { ...place, role: 'Link' }, index);
  const linkErrors = addHandlers(draft, element.linkError, { ...place, role: 'LinkError' }, index);
  const { path, role, parent, map, input } = place;
  const own = { index, path, role, parent, map, input, links, linkErrors, valueWanted: wanted };
  draft.steps[index] = {
    ...own,
    onFailure: element.onFailure,
    ...(element.name === undefined ? {} : { name: element.name }),
    ...(when === undefined ? {} : { when }),
    ...inner,
  };
  return index;
}

function conditionOf(draft: Draft, text: string, path: string): StepCondition {
  const parsed = parseCondition(text);
  if (!parsed.ok) throw new RangeError(`${path}.when: ${parsed.error}`);
  const steps = new Map(parsed.value.stepNames.map((name) => [name, referredStep(draft, name, path)] as const));
  return { condition: parsed.value, steps };
}

function referredStep(draft: Draft, name: string, path: string): number {
  const step = draft.names.get(name);
  if (step === undefined)
    throw new RangeError(`${path}: refers to a step ${name}, and none of that name stands before`);
  return step;
}

type OwnKeys = 'index' | 'path' | 'role' | 'parent' | 'map' | 'input' | 'links' | 'linkErrors' | 'valueWanted';
type InnerOf<S> = S extends PlanStep ? Omit<S, OwnKeys | 'onFailure' | 'name' | 'when'> : never;
type Inner = InnerOf<PlanStep>;

function addMembers(draft: Draft, element: Element, place: Place, index: number): Inner {
  switch (element.kind) {
    case 'Task':
      return taskOf(draft, element, place.path);
    case 'Chain':
      return { kind: 'Chain', members: addChain(draft, element.members, place, index) };
    case 'Group':
      return {
        kind: 'Group',
        members: element.members.map((member, i) =>
          addElement(draft, member, { ...place, role: 'Member', parent: index, path: `${place.path}.group[${i}]` }),
        ),
      };
    case 'Chord':
      return addChord(draft, element, place, index);
    case 'Map':
      return addMap(draft, element, place, index);
  }
}

function taskOf(draft: Draft, element: TaskElement, path: string): Inner {
  const { name: _name, when: _when, onFailure: _onFailure, link: _link, linkError: _linkError, ...rest } = element;
  return {
    ...rest,
    args: element.args.map((text) => argumentOf(draft, text, path)),
    kwargs: argumentOf(draft, element.kwargs, path),
  };
}

function argumentOf(draft: Draft, text: ArgumentText, path: string): Argument {
  if (typeof text === 'string') return text;
  return text.map((part) => (typeof part === 'string' ? part : { step: referredStep(draft, part.name, path) }));
}

function addChord(draft: Draft, element: Extract<Element, { kind: 'Chord' }>, place: Place, index: number): Inner {
  const within = { ...place, role: 'Member' as const, parent: index };
  const wanted = takesInput(element.body);
  const header = element.header.map((member, i) =>
    addElement(draft, member, { ...within, path: `${place.path}.chord.header[${i}]`, valueWanted: wanted }),
  );
  const body = addElement(draft, element.body, {
    ...within,
    path: `${place.path}.chord.body`,
    input: { from: 'Header', chord: index },
  });
  return { kind: 'Chord', header, body };
}

function addMap(draft: Draft, element: Extract<Element, { kind: 'Map' }>, place: Place, index: number): Inner {
  const isBare = element.each.kind === 'Task' && element.each.name === undefined;
  const each = addElement(draft, element.each, {
    ...place,
    role: 'Member',
    parent: index,
    map: index,
    path: isBare ? `${place.path}.map` : `${place.path}.map.each`,
    input: { from: 'Item', map: index },
  });
  const { over, unpack, chunk } = element;
  const width = draft.steps.length - each;
  return { kind: 'Map', each, width, over, unpack, ...(chunk === undefined ? {} : { chunk }) };
}

function addChain(draft: Draft, members: readonly Element[], place: Place, index: number): number[] {
  const added: number[] = [];
  members.forEach((member, i) => {
    const previous = added.at(-1);
    const next = members[i + 1];
    added.push(
      addElement(draft, member, {
        ...place,
        role: 'Member',
        parent: index,
        path: `${place.path}.chain[${i}]`,
        input: previous === undefined ? place.input : { from: 'Step', step: previous },
        valueWanted: next === undefined ? place.valueWanted : takesInput(next),
      }),
    );
  });
  return added;
}

/** Whether an element asks for the value that comes in. An empty chain hands it on, and so does what may be passed over. */
function takesInput(element: Element): boolean {
  if (element.when !== undefined) return true;
  switch (element.kind) {
    case 'Task':
      return !element.immutable;
    case 'Chain': {
      const [first] = element.members;
      return first === undefined || takesInput(first);
    }
    case 'Group':
      return element.members.some(takesInput);
    case 'Chord':
      return element.header.some(takesInput);
    case 'Map':
      return element.over.from === 'Input';
  }
}

function addHandlers(draft: Draft, tasks: readonly TaskElement[], place: Place, of: number): number[] {
  const field = place.role === 'Link' ? 'link' : 'linkError';
  return tasks.map((task, i) =>
    addElement(draft, task, {
      role: place.role,
      parent: of,
      map: place.map,
      path: `${place.path}.${field}[${i}]`,
      input: place.role === 'Link' ? { from: 'Step', step: of } : nothing,
      valueWanted: false,
    }),
  );
}
