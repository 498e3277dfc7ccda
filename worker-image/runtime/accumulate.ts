import { elements, entries } from '#core/base/json-span.ts';
import { stringifyJson } from '#core/base/json-text.ts';
import type { TaskMessage } from '#core/celery/task-message.ts';
import type { Outcome } from '#core/execution/outcome.ts';

/** A built-in of Celery: what `Task.replace` puts behind a group. */
export const accumulateTask = 'celery.accumulate';

/** Its arguments as a list, or the one that `index` names. */
export function accumulate({ argsText, kwargsText }: Pick<TaskMessage, 'argsText' | 'kwargsText'>): Outcome {
  const index = entries(kwargsText)?.get('index') ?? 'null';
  if (index === 'null') return { kind: 'Succeeded', resultText: argsText };
  const found = elements(argsText)?.at(Number(index));
  if (found !== undefined) return { kind: 'Succeeded', resultText: found };
  const messageText = stringifyJson(['tuple index out of range']);
  return { kind: 'Failed', exception: { type: 'IndexError', messageText, module: 'builtins' }, traceback: null };
}
