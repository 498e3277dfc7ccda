import { tasksOf, type Canvas, type CanvasTask, type Json } from './canvas.ts';

/** One call of a task, as `recording.py` notes it. */
export interface CanvasCall {
  readonly at: string;
  readonly args: readonly Json[];
  /** Of an errback: the task that it was told of; null where that has no name. */
  readonly failed?: string | null;
}

/** `Skipped`: never called. `Pending`: called for, and nothing was heard of it. */
export type CanvasState = 'Succeeded' | 'Failed' | 'Skipped' | 'Pending';

/** What a canvas came to, natively, as a Workflow or by the book. */
export interface CanvasOutcome {
  readonly state: CanvasState;
  /** Null unless the state is Succeeded. */
  readonly value: Json;
  readonly calls: readonly CanvasCall[];
  /** By `at`. */
  readonly states: ReadonlyMap<string, CanvasState>;
}

/** What comes in: one value, or nothing at all. */
type Input = readonly [] | readonly [Json];

type Ended = { readonly value: Json } | { readonly failed: string };

/**
 * What Celery's user guide says that a canvas does (userguide/canvas and userguide/calling, "Linking"), run in the head:
 * a chain hands each result on and ends at the first failure; the members of a group or a header all run, and their
 * results are a list in the order written; a body follows a header that succeeded; a callback gets the result of what it
 * is linked to, an errback is called once for what it is linked to.
 */
export function referenceOutcome(canvas: Canvas): CanvasOutcome {
  const calls: CanvasCall[] = [];
  const states = new Map<string, CanvasState>(tasksOf(canvas).map(({ kwargs }) => [kwargs.at, 'Skipped']));

  function call({ task, args = [], kwargs, immutable }: CanvasTask, input: Input): Ended {
    calls.push({ at: kwargs.at, args: [...(immutable === true ? [] : input), ...args] });
    states.set(kwargs.at, task === 'fail' ? 'Failed' : 'Succeeded');
    return task === 'fail'
      ? { failed: kwargs.at }
      : { value: kwargs.gives === undefined ? kwargs.at : kwargs.gives.value };
  }

  function run(element: Canvas, input: Input): Ended {
    const ended = inner(element, input);
    if ('value' in ended) for (const each of element.link ?? []) call(each, [ended.value]);
    else {
      for (const { kwargs, args = [] } of element.linkError ?? []) {
        calls.push({ at: kwargs.at, args, failed: ended.failed });
        states.set(kwargs.at, 'Succeeded');
      }
    }
    return ended;
  }

  function inner(element: Canvas, input: Input): Ended {
    if ('chain' in element) return inTurn(element.chain, input);
    if ('group' in element) return together(element.group, input);
    if ('chord' in element) {
      const header = together(element.chord.header, input);
      return 'failed' in header ? header : run(element.chord.body, [header.value]);
    }
    return call(element, input);
  }

  function inTurn(members: readonly Canvas[], input: Input): Ended {
    let next = input;
    let last: Ended = { value: null };
    for (const member of members) {
      last = run(member, next);
      if ('failed' in last) return last;
      next = [last.value];
    }
    return last;
  }

  function together(members: readonly Canvas[], input: Input): Ended {
    const ended = members.map((member) => run(member, input));
    const failed = ended.find((each) => 'failed' in each);
    return failed ?? { value: ended.map((each) => ('value' in each ? each.value : null)) };
  }

  const ended = run(canvas, []);
  const isWhole = 'value' in ended;
  return { state: isWhole ? 'Succeeded' : 'Failed', value: isWhole ? ended.value : null, calls, states };
}
