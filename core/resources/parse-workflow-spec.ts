import { isRawNumber } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { fail, ok, type Result } from '#core/base/result.ts';
import { chainMax, elementKinds, elementSchema, groupMax, handlersMax, type ElementKind } from './element.ts';
import { nearestWord } from './nearest-word.ts';
import { findNamedResult } from './named-result.ts';
import { signatureSchema } from './signature.ts';
import type { SpecProblem } from './spec-problem.ts';
import { runFields, type WorkflowSpec } from './workflow.ts';

/** After so many problems the rest is not looked for. */
const maxProblems = 20;

const elementKeys = Object.keys(elementSchema.shape);
const rootKeys = [...elementKeys, ...Object.keys(runFields)];
const signatureKeys = Object.keys(signatureSchema.shape);
const taskOnlyKeys = signatureKeys.filter((key) => key !== 'task');

/** Schemas of the fields that hold no elements, by name; the tree around them is walked by hand. */
const leaves = { ...signatureSchema.shape, defaultQueue: runFields.defaultQueue } as const;
type LeafKey = keyof typeof leaves;

interface Walk {
  readonly problems: SpecProblem[];
  members: number;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the whole of a Workflow's spec, as parsed from JSON. The API server has looked at two levels only, so everything
 * is checked here: known keys, exactly one kind for each element, the schemas of the fields, 16 levels, 250,000 members.
 * The value comes back as it is, not copied: numbers keep their text. A walk by hand rather than zod's own recursion, for
 * the errors' words and for 10,000 members in a few milliseconds; the leaves are judged by the schemas.
 */
export function parseWorkflowSpec(value: unknown): Result<WorkflowSpec, readonly SpecProblem[]> {
  const walk: Walk = { problems: [], members: 0 };
  const fields = asFields(value, 'spec', walk);
  if (fields !== undefined) {
    checkElement(fields, 'spec', { walk, depth: 1, keys: rootKeys });
    checkSignatures(fields['finally'], 'spec.finally', walk);
    checkLeaf('defaultQueue', fields['defaultQueue'], { path: 'spec.defaultQueue', walk });
  }
  return walk.problems.length === 0 ? ok(value as WorkflowSpec) : fail(walk.problems);
}

interface Place {
  readonly walk: Walk;
  readonly depth: number;
  readonly keys: readonly string[];
}

function checkElement(fields: Fields, path: string, place: Place): void {
  const { walk, depth } = place;
  if (!mayGoOn(path, walk, depth)) return;
  checkKeys(fields, path, place);
  const kind = kindOf(fields, path, walk);
  checkSignatures(fields['link'], `${path}.link`, walk);
  checkSignatures(fields['linkError'], `${path}.linkError`, walk);
  if (kind === undefined) return;
  if (kind === 'task') {
    checkSignatureFields(fields, path, walk);
    return;
  }
  checkTaskFieldsAbsent(fields, path, { kind, walk });
  const inner = `${path}.${kind}`;
  if (kind === 'chord') {
    checkChord(fields['chord'], inner, { walk, depth });
    return;
  }
  checkElements(fields[kind], inner, {
    walk,
    depth,
    min: kind === 'chain' ? 1 : 0,
    max: kind === 'chain' ? chainMax : groupMax,
  });
}

/** Counts the member and holds the bounds; false when the walk is to end here. */
function mayGoOn(path: string, walk: Walk, depth: number): boolean {
  walk.members += 1;
  if (walk.members === limits.canvasMembers + 1) {
    refuse(walk, path, `the workflow has more than ${limits.canvasMembers} members; split it into several`);
  }
  if (depth > limits.canvasDepth) {
    refuse(
      walk,
      path,
      `elements stand within elements more than ${limits.canvasDepth} levels deep; flatten chains within chains`,
    );
    return false;
  }
  return walk.members <= limits.canvasMembers && walk.problems.length < maxProblems;
}

function checkKeys(fields: Fields, path: string, { walk, keys }: Place): void {
  for (const key in fields) if (!keys.includes(key)) refuseKey(key, path, { walk, keys });
}

function refuseKey(
  key: string,
  path: string,
  { walk, keys }: { readonly walk: Walk; readonly keys: readonly string[] },
): void {
  if (Object.hasOwn(runFields, key)) {
    refuse(walk, `${path}.${key}`, `stands for the whole run; move it to spec.${key}`);
    return;
  }
  const near = nearestWord(key, keys);
  refuse(
    walk,
    `${path}.${shownKey(key)}`,
    near === undefined ? `unknown field; known here are ${keys.join(', ')}` : `unknown field; did you mean ${near}?`,
  );
}

function shownKey(key: string): string {
  return /^[\w$-]{1,64}$/.test(key) ? key : JSON.stringify(key.slice(0, 64));
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
  for (const key of taskOnlyKeys) {
    if (fields[key] !== undefined)
      refuse(walk, `${path}.${key}`, `goes with a task only; this is a ${kind}, so give it to the tasks within`);
  }
}

function checkChord(value: unknown, path: string, { walk, depth }: Omit<Place, 'keys'>): void {
  const fields = asFields(value, path, walk);
  if (fields === undefined) return;
  const keys = ['header', 'body'];
  checkKeys(fields, path, { walk, depth, keys });
  for (const key of keys)
    if (fields[key] === undefined)
      refuse(
        walk,
        path,
        `has no ${key}; a chord is a header, which is a list of elements, and a body, which is one element`,
      );
  if (fields['header'] !== undefined)
    checkElements(fields['header'], `${path}.header`, { walk, depth, min: 0, max: groupMax });
  const body = fields['body'] === undefined ? undefined : asFields(fields['body'], `${path}.body`, walk);
  if (body !== undefined) checkElement(body, `${path}.body`, { walk, depth: depth + 1, keys: elementKeys });
}

interface Bounds {
  readonly walk: Walk;
  readonly depth: number;
  readonly min: number;
  readonly max: number;
}

function checkElements(value: unknown, path: string, { walk, depth, min, max }: Bounds): void {
  const list = asList(value, path, { walk, min, max });
  for (let index = 0; index < list.length && walk.problems.length < maxProblems; index += 1) {
    const inner = `${path}[${index}]`;
    const fields = asFields(list[index], inner, walk);
    if (fields !== undefined) checkElement(fields, inner, { walk, depth: depth + 1, keys: elementKeys });
  }
}

function checkSignatures(value: unknown, path: string, walk: Walk): void {
  if (value === undefined) return;
  for (const [index, item] of asList(value, path, { walk, min: 0, max: handlersMax }).entries()) {
    const inner = `${path}[${index}]`;
    const fields = asFields(item, inner, walk);
    if (fields === undefined || !mayGoOn(inner, walk, 1)) continue;
    checkKeys(fields, inner, { walk, depth: 1, keys: signatureKeys });
    if (fields['task'] === undefined) refuse(walk, inner, 'has no task; only single tasks may stand here');
    checkSignatureFields(fields, inner, walk);
  }
}

function checkSignatureFields(fields: Fields, path: string, walk: Walk): void {
  checkLeaf('task', fields['task'], { path, walk });
  checkLeaf('queue', fields['queue'], { path, walk });
  checkLeaf('immutable', fields['immutable'], { path, walk });
  for (const key of ['args', 'kwargs'] as const) {
    if (fields[key] === undefined || !checkLeaf(key, fields[key], { path, walk })) continue;
    const named = findNamedResult(fields[key]);
    if (named)
      refuse(
        walk,
        `${path}.${key}`,
        'holds {"$result": …}, which is kept for results by name and not supported yet; rename the key',
      );
  }
}

function checkLeaf(
  key: LeafKey,
  value: unknown,
  { path, walk }: { readonly path: string; readonly walk: Walk },
): boolean {
  if (value === undefined) return true;
  // A number that kept its text is an object to the schemas.
  const parsed = leaves[key].safeParse(isRawNumber(value) ? Number(value.rawJSON) : value);
  if (parsed.success) return true;
  refuse(walk, key === 'defaultQueue' ? path : `${path}.${key}`, parsed.error.issues[0]?.message ?? 'is not valid');
  return false;
}

function asFields(value: unknown, path: string, walk: Walk): Fields | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value))
    return value as Fields;
  refuse(walk, path, `must be an object, but is ${nameOf(value)}`);
  return undefined;
}

function asList(value: unknown, path: string, { walk, min, max }: Omit<Bounds, 'depth'>): readonly unknown[] {
  if (!Array.isArray(value)) {
    refuse(walk, path, `must be a list, but is ${nameOf(value)}`);
    return [];
  }
  if (value.length < min) refuse(walk, path, 'is empty; give at least one element');
  if (value.length > max) refuse(walk, path, `has ${value.length} entries; ${max} are allowed`);
  return value.length > max ? [] : value;
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' || isRawNumber(value)) return 'a number';
  return typeof value === 'object' ? 'an object' : typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

function refuse(walk: Walk, path: string, message: string): void {
  if (walk.problems.length < maxProblems) walk.problems.push({ path, message });
}
