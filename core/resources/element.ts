import { z } from 'zod';
import { taskName } from './leaf.ts';
import { signatureFields, signatureSchema, type Signature } from './signature.ts';

/** The keys of which every element has exactly one. */
export const elementKinds = ['task', 'chain', 'group', 'chord'] as const;
export type ElementKind = (typeof elementKinds)[number];

/** One part of a canvas: exactly one of `task`, `chain`, `group`, `chord`. Elements nest. */
export interface Element {
  readonly task?: string;
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly immutable?: boolean;
  readonly queue?: string;
  readonly chain?: readonly Element[];
  readonly group?: readonly Element[];
  readonly chord?: Chord;
  readonly link?: readonly Signature[];
  readonly linkError?: readonly Signature[];
}

export interface Chord {
  readonly header: readonly Element[];
  readonly body: Element;
}

export const exactlyOneRule = {
  rule: '(has(self.task) ? 1 : 0) + (has(self.chain) ? 1 : 0) + (has(self.group) ? 1 : 0) + (has(self.chord) ? 1 : 0) == 1',
  message: 'give exactly one of task, chain, group, chord',
} as const;

/** What the API server checks of the root; the operator checks the same of every element. CEL cannot see `args`. */
export const elementRules = [
  exactlyOneRule,
  {
    rule: 'has(self.task) || !(has(self.kwargs) || has(self.immutable) || has(self.queue))',
    message: 'args, kwargs, immutable and queue go with a task only; give them to the tasks within',
  },
] as const;

/** Bounds of the lists; the operator bounds the whole tree besides (`limits.canvasMembers`). */
export const chainMax = 10_000;
export const groupMax = 250_000;
export const handlersMax = 64;

/** Fields of an element that hold no further elements: each is judged by itself. */
export const elementLeaves = {
  task: taskName()
    .exactOptional()
    .describe(
      'A single task: its name, exactly as the workers registered it. args, kwargs, immutable and queue go with it.',
    ),
  ...signatureFields,
  link: z
    .array(signatureSchema)
    .max(handlersMax)
    .exactOptional()
    .describe(
      'Tasks that are called with the result when this succeeded, as Celery link. The result of this is not changed by them.',
    ),
  linkError: z
    .array(signatureSchema)
    .max(handlersMax)
    .exactOptional()
    .describe('Tasks that are called with (request, exc, traceback) when this failed, as Celery link_error.'),
} as const;

type ElementList = z.ZodExactOptional<z.ZodType<readonly Element[]>>;

/** The recursive schema: the one description of what may stand in a canvas. */
export const elementSchema = z.strictObject({
  ...elementLeaves,
  get chain(): ElementList {
    return z
      .array(elementSchema)
      .min(1)
      .max(chainMax)
      .exactOptional()
      .describe(
        'Elements that run one after the other, each given the result of the one before; the result is that of the last. A group followed by another element is a chord: that element gets the list of results. A failure skips the rest.',
      );
  },
  get group(): ElementList {
    return z
      .array(elementSchema)
      .max(groupMax)
      .exactOptional()
      .describe(
        'Elements that run side by side, each given the same input; the result is the list of their results, in the order written here. An empty group is the empty list.',
      );
  },
  get chord(): z.ZodExactOptional<z.ZodType<Chord>> {
    return z
      .strictObject({
        get header(): z.ZodType<readonly Element[]> {
          return z.array(elementSchema).max(groupMax).describe('Elements that run side by side, as in a group.');
        },
        get body(): z.ZodType<Element> {
          return z
            .lazy(() => elementSchema)
            .describe(
              'The element that runs once every element of the header succeeded; it is given the list of their results in the order of the header.',
            );
        },
      })
      .exactOptional()
      .describe(
        'A group with something to do afterwards: the body runs once the whole header succeeded, and its result is the result of the chord.',
      );
  },
});
