import { limits } from '#core/base/limits.ts';
import { fail, ok, type Result } from '#core/base/result.ts';
import { checkLeaves, checkTask, taskFieldNames } from './check-fields.ts';
import { checkMap } from './check-map.ts';
import { checkReferences } from './check-references.ts';
import { checkStep, refuseStepFields } from './check-step.ts';
import {
  chainMax,
  elementKinds,
  elementSchema,
  groupMax,
  handlersMax,
  stepFields,
  type ElementKind,
} from './element.ts';
import { signatureSchema } from './signature.ts';
import type { SpecProblem } from './spec-problem.ts';
import { asFields, asList, checkKeys, isFull, refuse, startWalk, type Fields, type Walk } from './spec-walk.ts';
import { handlerOrder, runSpot, spotWithin, type Spot } from './spot.ts';
import { runFields, type WorkflowSpec } from './workflow.ts';

const elementKeys = Object.keys(elementSchema.shape);
const runKeys = Object.keys(runFields);
const rootKeys = [...elementKeys.filter((key) => !Object.hasOwn(stepFields, key)), ...runKeys];
const runLeafKeys = runKeys.filter((key) => key !== 'finally');
const signatureKeys = Object.keys(signatureSchema.shape);

/**
 * Reads the whole of a Workflow's spec, as parsed from JSON. The API server has looked at two levels only, so everything
 * is checked here: known keys, exactly one kind for each element, the schemas of the fields, 16 levels, 250,000 members,
 * conditions, and that whatever is spoken of by name has ended by then. The value comes back as it is, not copied:
 * numbers keep their text. A walk by hand rather than zod's own recursion, for the errors' words and for 10,000 members
 * in a few milliseconds; the leaves are judged by the schemas.
 */
export function parseWorkflowSpec(value: unknown): Result<WorkflowSpec, readonly SpecProblem[]> {
  const walk = startWalk();
  const fields = asFields(value, 'spec', walk);
  if (fields !== undefined) {
    checkRoot(fields, walk);
    const place = { walk, spot: spotWithin(runSpot, 0), isInEach: false, hasInput: false };
    checkElement(fields, 'spec', place);
    checkSignatures(fields['finally'], 'spec.finally', { walk, spot: spotWithin(runSpot, 1) });
    checkLeaves(fields, 'spec', { walk, keys: runLeafKeys });
    checkReferences(walk);
  }
  return walk.problems.length === 0 ? ok(value as WorkflowSpec) : fail(walk.problems);
}

interface Place {
  readonly walk: Walk;
  readonly spot: Spot;
  /** Whether it stands in what a map runs for every item. */
  readonly isInEach: boolean;
  /** Whether a value comes in, from a step before or as a map's item. */
  readonly hasInput: boolean;
}

/** The root is the run: what an element says of itself among others has no meaning there. */
function checkRoot(fields: Fields, walk: Walk): void {
  const { name: _, when: __, onFailure: ___, ...known } = fields;
  for (const key of Object.keys(stepFields))
    if (fields[key] !== undefined)
      refuse(
        walk,
        `spec.${key}`,
        'has no meaning for the run as a whole; put the element into a chain of one, and this on it',
      );
  checkKeys(known, 'spec', { walk, keys: rootKeys });
}

function checkElement(fields: Fields, path: string, place: Place): void {
  const { walk, spot } = place;
  if (!mayGoOn(path, place)) return;
  if (spot.parent !== runSpot) {
    checkKeys(fields, path, { walk, keys: elementKeys });
    checkStep(fields, path, place);
  }
  const handlers = { walk, spot: spotWithin(spot, handlerOrder) };
  checkSignatures(fields['link'], `${path}.link`, handlers);
  checkSignatures(fields['linkError'], `${path}.linkError`, handlers);
  const kind = kindOf(fields, path, walk);
  if (kind === 'task') checkTask(fields, path, place);
  else if (kind !== undefined) {
    checkTaskFieldsAbsent(fields, path, { kind, walk });
    checkComposite[kind](fields[kind], `${path}.${kind}`, place);
  }
}

/** Counts the member and holds the bounds; false when the walk is to end here. */
function mayGoOn(path: string, { walk, spot }: Pick<Place, 'walk' | 'spot'>): boolean {
  countMembers(1, path, walk);
  if (spot.depth > limits.canvasDepth) {
    refuse(
      walk,
      path,
      `elements stand within elements more than ${limits.canvasDepth} levels deep; flatten chains within chains`,
    );
    return false;
  }
  return walk.members <= limits.canvasMembers && !isFull(walk);
}

function countMembers(count: number, path: string, walk: Walk): void {
  const had = walk.members;
  walk.members += count;
  if (had <= limits.canvasMembers && walk.members > limits.canvasMembers)
    refuse(walk, path, `the workflow has more than ${limits.canvasMembers} members; split it into several`);
}

function kindOf(fields: Fields, path: string, walk: Walk): ElementKind | undefined {
  const found = elementKinds.filter((kind) => fields[kind] !== undefined);
  if (found.length === 1) return found[0];
  const choice = elementKinds.join(', ');
  refuse(
    walk,
    path,
    found.length === 0
      ? `does not say what to run; give exactly one of ${choice}`
      : `has ${found.join(' and ')} side by side; give exactly one of ${choice}, and put one within the other or both into a chain or group`,
  );
  return undefined;
}

function checkTaskFieldsAbsent(
  fields: Fields,
  path: string,
  { kind, walk }: { readonly kind: ElementKind; readonly walk: Walk },
): void {
  const place = kind === 'map' ? 'into the map, beside its task' : 'to the tasks within';
  for (const key of taskFieldNames)
    if (fields[key] !== undefined)
      refuse(walk, `${path}.${key}`, `goes with a task only; this is a ${kind}, so give it ${place}`);
}

type CheckComposite = (value: unknown, path: string, place: Place) => void;

const checkComposite: Readonly<Record<Exclude<ElementKind, 'task'>, CheckComposite>> = {
  chain: (value, path, place) => checkElements(value, path, { ...place, max: chainMax, inOrder: true }),
  group: (value, path, place) => checkElements(value, path, { ...place, max: groupMax, inOrder: false }),
  chord: checkChord,
  map: checkMapElement,
};

function checkChord(value: unknown, path: string, place: Place): void {
  const { walk, spot } = place;
  const fields = asFields(value, path, walk);
  if (fields === undefined) return;
  const keys = ['header', 'body'];
  checkKeys(refuseStepFields(fields, path, walk), path, { walk, keys });
  for (const key of keys)
    if (fields[key] === undefined)
      refuse(
        walk,
        path,
        `has no ${key}; a chord is a header, which is a list of elements, and a body, which is one element`,
      );
  const { header, body } = fields;
  if (header !== undefined) checkElements(header, `${path}.header`, { ...place, max: groupMax, inOrder: false });
  const inner = body === undefined ? undefined : asFields(body, `${path}.body`, walk);
  if (inner !== undefined) checkElement(inner, `${path}.body`, { ...place, spot: spotWithin(spot, 1), hasInput: true });
}

function checkMapElement(value: unknown, path: string, place: Place): void {
  const { walk, spot } = place;
  const fields = asFields(value, path, walk);
  if (fields === undefined) return;
  if (place.isInEach)
    refuse(
      walk,
      path,
      'stands in the each of another map, which is not supported; let a task return the flat list first',
    );
  const items = checkMap(fields, path, place);
  if (!place.hasInput && fields['over'] === undefined && fields['range'] === undefined)
    refuse(
      walk,
      path,
      'has no items: no result comes in here; give over or range, or put a task that returns a list before it',
    );
  const had = walk.members;
  const each = fields['each'] === undefined ? undefined : asFields(fields['each'], `${path}.each`, walk);
  if (each === undefined) countMembers(1, path, walk);
  else checkElement(each, `${path}.each`, { walk, spot: spotWithin(spot, 0, true), isInEach: true, hasInput: true });
  if (items !== undefined && items > 1) countMembers((items - 1) * (walk.members - had), path, walk);
}

interface List extends Place {
  readonly max: number;
  /** Whether each begins when the one before has ended. */
  readonly inOrder: boolean;
}

function checkElements(value: unknown, path: string, { max, inOrder, ...place }: List): void {
  const { walk, spot } = place;
  const list = asList(value, path, { walk, max });
  for (let index = 0; index < list.length && !isFull(walk); index += 1) {
    const inner = `${path}[${index}]`;
    const fields = asFields(list[index], inner, walk);
    const hasInput = place.hasInput || (inOrder && index > 0);
    if (fields !== undefined)
      checkElement(fields, inner, { ...place, spot: spotWithin(spot, inOrder ? index : 0), hasInput });
  }
}

function checkSignatures(value: unknown, path: string, { walk, spot }: Pick<Place, 'walk' | 'spot'>): void {
  if (value === undefined) return;
  for (const [index, item] of asList(value, path, { walk, max: handlersMax }).entries()) {
    const inner = `${path}[${index}]`;
    const fields = asFields(item, inner, walk);
    countMembers(1, inner, walk);
    if (fields === undefined || walk.members > limits.canvasMembers || isFull(walk)) continue;
    checkKeys(fields, inner, { walk, keys: signatureKeys });
    if (fields['task'] === undefined) refuse(walk, inner, 'has no task; only single tasks may stand here');
    checkTask(fields, inner, { walk, spot });
  }
}
