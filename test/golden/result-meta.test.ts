import { describe, expect, test } from 'vitest';
import { elements } from '#core/base/json-span.ts';
import type { JsonText } from '#core/base/json-text.ts';
import { celeryException, encodeException, exceptionRepr } from '#core/celery/exception.ts';
import { decodeResultMeta, encodeResultMeta, resultKeyPrefix, statusOf } from '#core/celery/result-meta.ts';
import { capture, captures } from './capture.ts';

const results = captures().flatMap(({ name, results = [] }) =>
  results.map((each, index) => ({ name: `${name}[${index}] ${String(each.meta['status'])}`, ...each })),
);

/** As Python writes it, with a space behind comma and colon. */
function pythonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}: ${pythonText(item)}`)
    .join(', ')}}`;
}

describe('a result that Celery stored', () => {
  test('all recordings are here', () => expect(results.length).toBeGreaterThanOrEqual(50));

  test.each(results)('$name is read and written again byte for byte', ({ key, meta }) => {
    const stored = pythonText(meta);
    const decoded = decodeResultMeta(stored);
    if (!decoded.ok) throw new Error(decoded.error.message);
    const { id = '', childrenText, ...rest } = decoded.value;
    const children = childrenText === 'null' ? null : elements(childrenText)!;
    expect(encodeResultMeta({ ...rest, id, children })).toBe(stored);
    expect(key).toBe(resultKeyPrefix + id);
  });

  test.each(results)('$name shows its state in the first 32 bytes', ({ meta }) => {
    expect(statusOf(pythonText(meta).slice(0, 32))).toBe(meta['status']);
  });
});

describe('an exception that our worker stores', () => {
  test.each([
    { name: 'run-unregistered', ours: celeryException('NotRegistered', 'no.such.task') },
    { name: 'run-expired', ours: celeryException('TaskRevokedError', 'expired') },
    {
      name: 'run-worker-lost',
      ours: celeryException('WorkerLostError', 'Worker exited prematurely: signal 9 (SIGKILL) Job: 38.'),
    },
    {
      name: 'run-unencodable',
      ours: celeryException('EncodeError', "TypeError('Object of type set is not JSON serializable')"),
    },
  ])('equals that of $name', ({ name, ours }) => {
    const stored = capture(name).results!.at(-1)!.meta['result'];
    expect(encodeException(ours)).toBe(JSON.stringify(stored));
  });

  test('is quoted within another as Python quotes it', () => {
    const boom = { type: 'Boom', messageText: '["kaput", 42]' as JsonText, module: 'tasks' };
    const [last] = capture('run-chord-fail').results!.filter(({ meta }) => pythonText(meta).includes('ChordError'));
    expect(pythonText(last!.meta)).toContain(`raised ${exceptionRepr(boom)}`);
  });
});
