import type { JsonText } from '#core/base/json-text.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';

/** The result of a task that returned null, as a worker stores it. */
export function successOf(id: string): string {
  const resultText = 'null' as JsonText;
  return encodeResultMeta({ id, status: 'SUCCESS', resultText, dateDone: new Date().toISOString() });
}
