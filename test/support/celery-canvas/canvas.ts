/** A JSON value; the canvases hold no numbers that JavaScript would change. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A task of `recording.py`. `at` is unique in a canvas: a call is known by it. */
export interface CanvasTask extends Handlers {
  /** `told` is an errback: it notes which task failed. */
  readonly task: 'succeed' | 'fail' | 'told';
  readonly args?: readonly Json[];
  /** Without `gives` a task returns its own name. */
  readonly kwargs: { readonly at: string; readonly gives?: { readonly value: Json } };
  readonly immutable?: boolean;
}

interface Handlers {
  readonly link?: readonly CanvasTask[];
  readonly linkError?: readonly CanvasTask[];
}

export interface CanvasChain extends Handlers {
  readonly chain: readonly Canvas[];
}

export interface CanvasGroup extends Handlers {
  readonly group: readonly Canvas[];
}

export interface CanvasChord extends Handlers {
  readonly chord: { readonly header: readonly Canvas[]; readonly body: Canvas };
}

/** An element as it stands in a Workflow's spec, of the kinds that Celery has too. */
export type Canvas = CanvasTask | CanvasChain | CanvasGroup | CanvasChord;

/** Its elements in the order in which they are written, header before body. */
export function membersOf(canvas: Canvas): readonly Canvas[] {
  if ('chain' in canvas) return canvas.chain;
  if ('group' in canvas) return canvas.group;
  if ('chord' in canvas) return [...canvas.chord.header, canvas.chord.body];
  return [];
}

/** The element, all that stand in it, and nothing that handles them. */
export function elementsOf(canvas: Canvas): readonly Canvas[] {
  return [canvas, ...membersOf(canvas).flatMap(elementsOf)];
}

/** Every task, handlers included. */
export function tasksOf(canvas: Canvas): readonly CanvasTask[] {
  return elementsOf(canvas).flatMap((each) => [
    ...('task' in each ? [each] : []),
    ...(each.link ?? []),
    ...(each.linkError ?? []),
  ]);
}

/** The canvas, or any spec, with its tasks' calls noted under the name of a run. */
export function addressed<Spec extends object>(spec: Spec, run: string): Spec {
  return JSON.parse(JSON.stringify(spec), (key: string, value: Json) =>
    key === 'at' ? `${run}/${value as string}` : value,
  ) as Spec;
}
