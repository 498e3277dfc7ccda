import { engineFailure, type Failure } from './failure.ts';
import { NotAList } from './items.ts';
import { ResultLost, ResultTooLarge } from './value.ts';

/** How a step fails whose value cannot be had; undefined for an error of any other kind. */
export function failureOfValue(error: unknown): Failure | undefined {
  const isKnown = error instanceof ResultLost || error instanceof ResultTooLarge || error instanceof NotAList;
  return isKnown ? engineFailure(error.name, error.message) : undefined;
}
