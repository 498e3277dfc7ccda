import { z } from 'zod';
import { limits } from '#core/base/limits.ts';
import { elementName, taskName } from './leaf.ts';
import { mapLeaves, type MapRange } from './map.ts';
import { signatureSchema, type Signature } from './signature.ts';
import { taskFields } from './task-fields.ts';

/** The keys of which every element has exactly one. */
export const elementKinds = ['task', 'chain', 'group', 'chord', 'map'] as const;
export type ElementKind = (typeof elementKinds)[number];

/** One part of a canvas: exactly one of `task`, `chain`, `group`, `chord`, `map`. Elements nest. */
export interface Element extends Partial<Signature> {
  /** Unique in the run; never at the root. */
  readonly name?: string;
  /** An expression in CEL, as `parseCondition` of core/expressions reads it; never at the root. */
  readonly when?: string;
  /** `Fail` when absent; never at the root. */
  readonly onFailure?: FailurePolicy;
  readonly chain?: readonly Element[];
  readonly group?: readonly Element[];
  readonly chord?: Chord;
  readonly map?: MapSpec;
  readonly link?: readonly Signature[];
  readonly linkError?: readonly Signature[];
}

export interface Chord {
  readonly header: readonly Element[];
  readonly body: Element;
}

/** A fan-out whose width is known when it runs: one task, or one element, for every item of a list. */
export interface MapSpec extends Partial<Omit<Signature, 'immutable'>> {
  /** Instead of `task`: run for every item. */
  readonly each?: Element;
  /** Items as they are written; numbers keep their text. Neither `over` nor `range`: the result of the step before. */
  readonly over?: readonly unknown[];
  /** A bare number `n` is `{ stop: n }`. */
  readonly range?: number | MapRange;
  readonly unpack?: boolean;
  readonly chunk?: number;
}

const failurePolicies = ['Fail', 'Continue'] as const;
export type FailurePolicy = (typeof failurePolicies)[number];

/** Bounds of the lists; the operator bounds the whole tree besides (`limits.canvasMembers`). */
export const chainMax = 10_000;
export const groupMax = 250_000;
export const handlersMax = 64;

/** What an element may say of itself in its surroundings. The root has none: it is the run. */
export const stepFields = {
  name: elementName()
    .exactOptional()
    .describe(
      'A name, unique in the workflow: {$result: name} in args and kwargs of later tasks stands for the result, and when can speak of steps.name.',
    ),
  when: z
    .string('must be text')
    .min(1, 'is empty; give an expression or leave it out')
    .max(limits.conditionCharacters, `is longer than ${limits.conditionCharacters} characters`)
    .exactOptional()
    .describe(
      'A condition in CEL over result, steps.NAME.result, steps.NAME.state and run. When it is false this is passed over: its result is the one that came in.',
    ),
  onFailure: z
    .enum(failurePolicies, 'must be Fail or Continue')
    .exactOptional()
    .describe('Continue: when this failed, go on as if it had returned null. Fail when absent.'),
} as const;

const handlers = () => z.array(signatureSchema).max(handlersMax).exactOptional();

/** Fields of an element that hold no further elements: each is judged by itself. */
export const elementLeaves = {
  ...stepFields,
  task: taskName()
    .exactOptional()
    .describe('A single task: its name, exactly as the workers registered it. The fields of a task go with it.'),
  ...taskFields,
  link: handlers().describe(
    'Tasks that are called with the result when this succeeded, as Celery link. The result of this is not changed by them.',
  ),
  linkError: handlers().describe(
    'Tasks that are called with (request, exc, traceback) when this failed, as Celery link_error.',
  ),
} as const;

type ElementList = z.ZodExactOptional<z.ZodType<readonly Element[]>>;

/** The recursive schema: the one description of what may stand in a canvas. */
export const elementSchema = z.strictObject({
  ...elementLeaves,
  get chain(): ElementList {
    return z
      .array(elementSchema)
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
  get map(): z.ZodExactOptional<z.ZodType<MapSpec>> {
    return mapSchema
      .exactOptional()
      .describe(
        'One task, or one element, run for every item of a list; the result is the list of the results, in the order of the items.',
      ) as never;
  },
});

/** Apart from the element, since each needs the other. */
const mapSchema = z.strictObject({
  ...mapLeaves,
  get each(): z.ZodExactOptional<z.ZodType<Element>> {
    return z
      .lazy(() => elementSchema)
      .exactOptional()
      .describe('Instead of task: an element, a chain say, that is run for every item, with the item as its input.');
  },
});
