/** A canvas as the simulation thinks of it. Task names are unique within a Workflow, so a call is known by its task's name. */
export interface Task extends Common {
  readonly kind: 'task';
  readonly task: string;
  readonly args: readonly Argument[];
  readonly kwargs: Argument;
  readonly immutable: boolean;
  readonly priority?: number;
  /** What each attempt does; the last one stands for all that follow. */
  readonly outcomes: readonly ('succeeds' | 'fails')[];
  /** A text that stands in its result. */
  readonly result: string;
  readonly countdownMs?: number;
  /** Virtual time. */
  readonly etaMs?: number;
  /** `atMs` in virtual time. */
  readonly expires?: { readonly afterMs: number } | { readonly atMs: number };
  readonly waitLimitMs?: number;
  readonly timeLimitMs?: number;
  readonly retry?: Retry;
  /** Times that its body raises Celery's Retry, in each attempt. */
  readonly ownRetries?: number;
}

export interface Retry {
  readonly maxRetries: number;
  readonly backoffMs: number;
  readonly jitter: boolean;
  /** The queue of all attempts after a failure. */
  readonly escalateTo?: string;
}

/** JSON text as it must arrive, or the result of a named element, perhaps with text around it. */
export type Argument = string | NamedResult;

export interface NamedResult {
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
}

/** A condition, and what it says as the reference sees it. */
export interface When {
  readonly text: string;
  readonly holds: (stateOf: (name: string) => string) => boolean;
}

interface Common {
  readonly name?: string;
  readonly when?: When;
  /** `onFailure: Continue`. */
  readonly continues?: boolean;
  readonly link: readonly Task[];
  readonly linkError: readonly Task[];
}

export interface List extends Common {
  readonly kind: 'chain' | 'group';
  readonly members: readonly Element[];
}

export interface Chord extends Common {
  readonly kind: 'chord';
  readonly header: readonly Element[];
  readonly body: Element;
}

export interface FoldedMap extends Common {
  readonly kind: 'map';
  readonly each: Element;
  /** Items as texts; a bare count; or what comes in. */
  readonly over: readonly string[] | number | 'input';
  /** `task` stands in the map itself, in place of `each`. */
  readonly isBare?: boolean;
  /** Items in one message; with a bare task only. */
  readonly chunk?: number;
  readonly unpack?: boolean;
}

export type Element = Task | List | Chord | FoldedMap;

/** A whole run. */
export interface Canvas {
  readonly root: Element;
  readonly finally: readonly Task[];
  readonly maxParallel?: number;
  /** Of every task in it. */
  readonly priority?: number;
}

/** The elements directly within one, in the order in which they are numbered. */
export function innerOf(element: Element): readonly Element[] {
  switch (element.kind) {
    case 'task':
      return [];
    case 'chord':
      return [...element.header, element.body];
    case 'map':
      return [element.each];
    default:
      return element.members;
  }
}

/** Every element, handlers and `finally` included, in the order in which steps are numbered. */
export function everyElement({ root, finally: last }: Canvas): readonly Element[] {
  const found: Element[] = [];
  const walk = (element: Element): void => {
    found.push(element);
    for (const each of innerOf(element)) walk(each);
    for (const each of [...element.link, ...element.linkError]) walk(each);
  };
  for (const each of [root, ...last]) walk(each);
  return found;
}

/** Every task by its name. */
export function tasksOf(canvas: Canvas): ReadonlyMap<string, Task> {
  const tasks = everyElement(canvas).filter((element): element is Task => element.kind === 'task');
  return new Map(tasks.map((task) => [task.task, task]));
}
