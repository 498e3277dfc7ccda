import type { StepFailure } from '#core/resources/workflow-status.ts';

/** What Celery says in one word, as a person would. A row: the exception's type, and its message in other words. */
const inWords = new Map<string, (failure: StepFailure) => string>([
  [
    'NotRegistered',
    ({ task = '' }) =>
      `the worker that took it has no task of that name; is the module of ${task} in its pool's image?`,
  ],
  ['SoftTimeLimitExceeded', () => 'it ran longer than its soft time limit'],
]);

/** Which step failed, with what, and after how many attempts, in a sentence for the condition. */
export function failureText(failure: StepFailure): string {
  const { type, attempt = 0 } = failure;
  const tries = attempt === 0 ? '' : ` (attempt ${attempt + 1})`;
  return `${failedElement(failure)} failed with ${type}${tries}: ${reasonOf(failure)}`;
}

/** The element as its author would look for it: `spec.chain[2]: train, task train_model for item 3`. */
export function failedElement(failure: Omit<StepFailure, 'type'>): string {
  const { path, name, task } = failure;
  const words = [...(name === undefined ? [] : [name]), ...(task === undefined ? [] : [`task ${task}`])].join(', ');
  return `${path}${words === '' ? '' : `: ${words}`}${itemText(failure)}`;
}

function itemText({ item, items = 1 }: Pick<StepFailure, 'item' | 'items'>): string {
  if (item === undefined) return '';
  return items === 1 ? ` for item ${item}` : ` for items ${item} to ${item + items - 1}`;
}

/** The engine's own messages name the place, which was said already. */
function reasonOf(failure: StepFailure): string {
  const { path, type, message = '' } = failure;
  const words = inWords.get(type)?.(failure) ?? message;
  return words.startsWith(`${path}: `) ? words.slice(path.length + 2) : words;
}
