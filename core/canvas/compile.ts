import type { Canvas, Element, TaskElement } from './element.ts';
import type { Plan, PlanStep, StepInput, StepRole } from './plan.ts';

interface Place {
  readonly path: string;
  readonly role: StepRole;
  readonly parent: number;
  readonly input: StepInput;
  readonly valueWanted: boolean;
}

const nothing: StepInput = { from: 'Nothing' };

/** A plan as it is filled: places are taken in pre-order before they are filled, so that indexes never depend on kinds. */
interface Draft {
  readonly steps: (PlanStep | undefined)[];
  memberTasks: number;
}

/** Compiles a canvas to steps and what each takes in. The same canvas always gives the same plan. */
export function planOf(canvas: Canvas): Plan {
  const draft: Draft = { steps: [], memberTasks: 0 };
  addElement(draft, canvas.root, { path: 'spec', role: 'Member', parent: -1, input: nothing, valueWanted: true });
  const last = canvas.finally.map((task, ordinal) =>
    addElement(draft, task, {
      path: `spec.finally[${ordinal}]`,
      role: 'Finally',
      parent: -1,
      input: nothing,
      valueWanted: false,
    }),
  );
  return { steps: draft.steps as PlanStep[], finally: last, memberTasks: draft.memberTasks };
}

function addElement(draft: Draft, element: Element, place: Place): number {
  const index = draft.steps.length;
  draft.steps.push(undefined);
  if (place.role === 'Member' && element.kind === 'Task') draft.memberTasks += 1;
  const wanted = place.valueWanted || element.link.some((task) => !task.immutable);
  const inner = addMembers(draft, element, { ...place, valueWanted: wanted }, index);
  const links = addHandlers(draft, element.link, { ...place, role: 'Link' }, index);
  const linkErrors = addHandlers(draft, element.linkError, { ...place, role: 'LinkError' }, index);
  const { path, role, parent, input } = place;
  draft.steps[index] = { index, path, role, parent, input, links, linkErrors, valueWanted: wanted, ...inner };
  return index;
}

type Inner =
  | Pick<Extract<PlanStep, { kind: 'Task' }>, 'kind' | 'task' | 'args' | 'kwargs' | 'immutable' | 'queue'>
  | Pick<Extract<PlanStep, { kind: 'Chain' | 'Group' }>, 'kind' | 'members'>
  | Pick<Extract<PlanStep, { kind: 'Chord' }>, 'kind' | 'header' | 'body'>;

function addMembers(draft: Draft, element: Element, place: Place, index: number): Inner {
  switch (element.kind) {
    case 'Task': {
      const { kind, task, args, kwargs, immutable, queue } = element;
      return { kind, task, args, kwargs, immutable, ...(queue === undefined ? {} : { queue }) };
    }
    case 'Chain':
      return { kind: 'Chain', members: addChain(draft, element.members, place, index) };
    case 'Group':
      return {
        kind: 'Group',
        members: element.members.map((member, i) =>
          addElement(draft, member, { ...place, role: 'Member', parent: index, path: `${place.path}.group[${i}]` }),
        ),
      };
    case 'Chord': {
      const wanted = takesInput(element.body);
      const header = element.header.map((member, i) =>
        addElement(draft, member, {
          ...place,
          role: 'Member',
          parent: index,
          path: `${place.path}.chord.header[${i}]`,
          valueWanted: wanted,
        }),
      );
      const body = addElement(draft, element.body, {
        ...place,
        role: 'Member',
        parent: index,
        path: `${place.path}.chord.body`,
        input: { from: 'Header', chord: index },
      });
      return { kind: 'Chord', header, body };
    }
  }
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

/** Whether an element asks for the value that comes in. An empty chain hands it on, so it asks too. */
function takesInput(element: Element): boolean {
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
  }
}

function addHandlers(draft: Draft, tasks: readonly TaskElement[], place: Place, of: number): number[] {
  const field = place.role === 'Link' ? 'link' : 'linkError';
  return tasks.map((task, i) =>
    addElement(draft, task, {
      role: place.role,
      parent: of,
      path: `${place.path}.${field}[${i}]`,
      input: place.role === 'Link' ? { from: 'Step', step: of } : nothing,
      valueWanted: false,
    }),
  );
}
