import { limits } from './limits.ts';

/** What values of a workflow may weigh, each in bytes of UTF-8 as JSON. The administrator of an operator may set both. */
export interface PayloadLimits {
  /** One task's result; a larger one fails its step with ResultTooLarge. */
  readonly resultBytes: number;
  /** A list of results as a chord's body gets it, an argument that names results, a final result; at least `resultBytes`. */
  readonly listBytes: number;
}

/** Where nothing else is set, and wherever workflows run without an operator. */
export const defaultPayloadLimits: PayloadLimits = { resultBytes: limits.resultBytes, listBytes: limits.listBytes };

/** What the chart calls them; errors tell it to who may raise them. */
const settings = { resultBytes: 'payloads.maxResultBytes', listBytes: 'payloads.maxListBytes' } as const;

/** The last words of an error about a value that is too large. */
export function wayToRaise(limit: keyof PayloadLimits): string {
  return `the administrator may raise ${settings[limit]} of the chart`;
}
