import { parseCondition } from '#core/expressions/condition.ts';
import { checkLeaves, type At } from './check-fields.ts';
import { stepFields } from './element.ts';
import { refuse, type Fields, type Walk } from './spec-walk.ts';

const stepKeys = Object.keys(stepFields);

const elementOnlyKeys = [...stepKeys, 'link', 'linkError'];

/** Tells of what belongs to the element and stands within its `map` or `chord`; the other fields come back. */
export function refuseStepFields(fields: Fields, path: string, walk: Walk): Fields {
  const kept = Object.entries(fields).filter(([key]) => !elementOnlyKeys.includes(key));
  if (kept.length === Object.keys(fields).length) return fields;
  const kind = path.slice(path.lastIndexOf('.') + 1);
  for (const key of elementOnlyKeys)
    if (fields[key] !== undefined)
      refuse(walk, `${path}.${key}`, `belongs beside ${kind}, not within; move it one level up`);
  return Object.fromEntries(kept);
}

interface StepAt extends At {
  readonly hasInput: boolean;
}

/** Checks what an element says of itself: its name, its condition, and what its failure means. */
export function checkStep(fields: Fields, path: string, at: StepAt): void {
  const { walk } = at;
  const had = walk.problems.length;
  checkLeaves(fields, path, { walk, keys: stepKeys });
  if (walk.problems.length > had) return;
  const { name, when } = fields;
  if (typeof name === 'string') noteName(name, path, at);
  if (typeof when === 'string') checkWhen(when, `${path}.when`, at);
}

function noteName(name: string, path: string, { walk, spot }: At): void {
  const other = walk.names.get(name);
  if (other === undefined) walk.names.set(name, { path, spot });
  else
    refuse(
      walk,
      `${path}.name`,
      `is ${JSON.stringify(name)}, as is that of ${other.path}; names are unique in a workflow`,
    );
}

function checkWhen(text: string, path: string, { walk, spot, hasInput }: StepAt): void {
  const parsed = parseCondition(text);
  if (!parsed.ok) {
    refuse(walk, path, parsed.error);
    return;
  }
  const { stepNames, usesResult } = parsed.value;
  if (usesResult && !hasInput)
    refuse(walk, path, 'asks for result, but nothing comes in here; ask for steps.NAME.result');
  for (const name of stepNames) walk.references.push({ name, path, spot });
}
