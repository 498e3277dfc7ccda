import { stringifyJson, type JsonText } from '#core/base/json-text.ts';
import type { Element as SpecElement } from '#core/resources/element.ts';
import type { Signature } from '#core/resources/signature.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import type { Canvas, Element, TaskElement } from './element.ts';

const noKwargs = '{}' as JsonText;

/** A parsed spec as a closed union, with defaults applied: they belong to the plan, never to the stored spec. */
export function normalise(spec: WorkflowSpec): Canvas {
  return { root: elementOf(spec), finally: (spec.finally ?? []).map(taskOf) };
}

function elementOf(spec: SpecElement): Element {
  const handlers = { link: (spec.link ?? []).map(taskOf), linkError: (spec.linkError ?? []).map(taskOf) };
  if (spec.chain !== undefined) return { kind: 'Chain', members: spec.chain.map(elementOf), ...handlers };
  if (spec.group !== undefined) return { kind: 'Group', members: spec.group.map(elementOf), ...handlers };
  if (spec.chord !== undefined) {
    const { header, body } = spec.chord;
    return { kind: 'Chord', header: header.map(elementOf), body: elementOf(body), ...handlers };
  }
  return { ...taskOf(spec as Readonly<Partial<Signature>>), ...handlers };
}

function taskOf(signature: Readonly<Partial<Signature>>): TaskElement {
  const { task, args, kwargs, immutable, queue } = signature;
  return {
    kind: 'Task',
    task: task ?? '',
    args: (args ?? []).map(stringifyJson),
    kwargs: kwargs === undefined ? noKwargs : stringifyJson(kwargs),
    immutable: immutable ?? false,
    ...(queue === undefined ? {} : { queue }),
    link: [],
    linkError: [],
  };
}
