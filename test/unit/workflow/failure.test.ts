import { describe, expect, test } from 'vitest';
import { stringifyJson } from '#core/base/json-text.ts';
import { decodeFailure, encodeFailure, engineFailure, isOfEngine, readError } from '#core/workflow/failure.ts';

const long = 'x'.repeat(20_000);
const ofWorker = {
  exc: stringifyJson({ exc_type: 'TooMuch', exc_message: [long], exc_module: 'shop.orders' }),
  traceback: stringifyJson(long),
};

describe('a failure as a run keeps it', () => {
  test('an exception of 20,000 characters keeps its class, its module and the beginning of its message', () => {
    const kept = decodeFailure(encodeFailure(ofWorker));
    expect(readError(kept.exc)).toEqual({ type: 'TooMuch', module: 'shop.orders', message: 'x'.repeat(256) });
    expect(kept.traceback.length).toBeLessThan(10_000);
  });

  test('an exception that was cut is still the worker’s, not the engine’s', () => {
    expect(isOfEngine(decodeFailure(encodeFailure(ofWorker)))).toBe(false);
    expect(isOfEngine(decodeFailure(encodeFailure(engineFailure('NotAList', long))))).toBe(true);
  });
});
