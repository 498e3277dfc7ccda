import type { Element, MapSpec } from '#core/resources/element.ts';
import { retryDefaults } from '#core/resources/retry.ts';
import type { Signature } from '#core/resources/signature.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import { stringifyJson } from '#core/base/json-text.ts';

/** What an element is to the one above it. */
export type GraphRole = 'member' | 'header' | 'body' | 'each' | 'link' | 'linkError' | 'finally';

/** An element of a canvas as people see it: in the tree of `check`, and with states while it runs. */
export interface GraphElement {
  /** Where it stands in the object, such as `spec.chain[1].group[0]`. */
  readonly path: string;
  readonly role: GraphRole;
  readonly kind: 'task' | 'chain' | 'group' | 'chord' | 'map';
  /** The task's name, else the kind. */
  readonly label: string;
  /** The element's own name, if its author gave one. */
  readonly name?: string;
  /** How it runs, where it says: `queue=gpu`, `retry=3`. */
  readonly details: readonly string[];
  readonly children: readonly GraphElement[];
}

interface Place {
  readonly path: string;
  readonly role: GraphRole;
}

/** The graph of a spec that `parseWorkflowSpec` took. */
export function graphOf(spec: WorkflowSpec): GraphElement {
  const root = shownElement(spec, { path: 'spec', role: 'member' });
  const last = (spec.finally ?? []).map((task, index) =>
    shownTask(task, { path: `spec.finally[${index}]`, role: 'finally' }),
  );
  return { ...root, children: [...root.children, ...last] };
}

function shownElement(element: Element, place: Place): GraphElement {
  const { path } = place;
  const body = { ...bodyOf(element, place), ...(element.name === undefined ? {} : { name: element.name }) };
  const details = [
    ...body.details,
    ...(element.when === undefined ? [] : [`when ${element.when}`]),
    ...(element.onFailure === 'Continue' ? ['onFailure=Continue'] : []),
  ];
  return {
    ...body,
    details,
    children: [
      ...body.children,
      ...handlers(element.link, `${path}.link`, 'link'),
      ...handlers(element.linkError, `${path}.linkError`, 'linkError'),
    ],
  };
}

function bodyOf(element: Element, place: Place): GraphElement {
  const { path } = place;
  const bare = { ...place, details: [] };
  if (element.chain !== undefined)
    return { ...bare, kind: 'chain', label: 'chain', children: members(element.chain, `${path}.chain`, 'member') };
  if (element.group !== undefined)
    return { ...bare, kind: 'group', label: 'group', children: members(element.group, `${path}.group`, 'member') };
  if (element.chord !== undefined) {
    const { header, body } = element.chord;
    const children = [
      ...members(header, `${path}.chord.header`, 'header'),
      shownElement(body, { path: `${path}.chord.body`, role: 'body' }),
    ];
    return { ...bare, kind: 'chord', label: 'chord', children };
  }
  if (element.map !== undefined) return shownMap(element.map, place);
  return shownTask(element as Signature, place);
}

function shownMap(map: MapSpec, place: Place): GraphElement {
  const base = { ...place, kind: 'map' as const, details: [itemsText(map), ...taskDetails(map)] };
  if (map.each === undefined) return { ...base, label: `map ${map.task ?? ''}`, children: [] };
  return {
    ...base,
    label: 'map',
    children: [shownElement(map.each, { path: `${place.path}.map.each`, role: 'each' })],
  };
}

function itemsText({ over, range, unpack, chunk }: MapSpec): string {
  const items =
    over !== undefined
      ? `over ${over.length} items`
      : range !== undefined
        ? `over range ${typeof range === 'number' ? range : stringifyJson(range)}`
        : 'over the previous result';
  return [items, ...(unpack === true ? ['unpack'] : []), ...(chunk === undefined ? [] : [`chunk=${chunk}`])].join(' ');
}

function shownTask(task: Signature, place: Place): GraphElement {
  return { ...place, kind: 'task', label: task.task, details: taskDetails(task), children: [] };
}

const shown = ['queue', 'priority', 'countdown', 'eta', 'expires', 'timeLimit', 'softTimeLimit', 'waitLimit'] as const;

function taskDetails(task: Partial<Signature>): readonly string[] {
  const { retry } = task;
  return [
    ...(task.immutable === true ? ['immutable'] : []),
    ...shown.flatMap((key) => (task[key] === undefined ? [] : [`${key}=${task[key]}`])),
    ...(retry === undefined ? [] : [`retry=${retry.maxRetries ?? retryDefaults.maxRetries}`]),
  ];
}

function members(elements: readonly Element[], path: string, role: GraphRole): readonly GraphElement[] {
  return elements.map((element, index) => shownElement(element, { path: `${path}[${index}]`, role }));
}

function handlers(tasks: readonly Signature[] | undefined, path: string, role: GraphRole): readonly GraphElement[] {
  return (tasks ?? []).map((task, index) => shownTask(task, { path: `${path}[${index}]`, role }));
}

/** What a row says of an element besides its state: `body: total [queue=gpu]`. */
export function rowText({ role, label, name, details }: GraphElement): string {
  const prefix = role === 'member' || role === 'header' ? '' : `${role}: `;
  const called = name === undefined ? '' : ` (${name})`;
  return `${prefix}${label}${called}${details.length === 0 ? '' : `  [${details.join(', ')}]`}`;
}
