import type { ValidationRule } from './crd/open-api-schema.ts';
import { elementKinds } from './element.ts';

/** What the API server says of elements with CEL; the operator checks the same, and more, of every element. */

const count = (keys: readonly string[]): string => keys.map((key) => `(has(self.${key}) ? 1 : 0)`).join(' + ');
const any = (keys: readonly string[]): string => keys.map((key) => `has(self.${key})`).join(' || ');

export function exactlyOneRule(kinds: readonly string[]): ValidationRule {
  return { rule: `${count(kinds)} == 1`, message: `give exactly one of ${kinds.join(', ')}` };
}

/** Those that CEL can see: it cannot see `args`. */
const visibleTaskFields = [
  'kwargs',
  'immutable',
  'queue',
  'priority',
  'countdown',
  'eta',
  'expires',
  'retry',
  'timeLimit',
  'softTimeLimit',
  'waitLimit',
];

const oneStartRule: ValidationRule = {
  rule: '!(has(self.countdown) && has(self.eta))',
  message: 'give either countdown or eta',
};

export const elementRules: readonly ValidationRule[] = [
  exactlyOneRule(elementKinds),
  {
    rule: `has(self.task) || !(${any(visibleTaskFields)})`,
    message:
      'args, kwargs, queue, retry and the other fields of a task go with a task only; give them to the tasks within',
  },
  oneStartRule,
];

export const mapRules: readonly ValidationRule[] = [
  exactlyOneRule(['task', 'each']),
  {
    rule: `has(self.task) || !(has(self.chunk) || ${any(visibleTaskFields.filter((key) => key !== 'immutable'))})`,
    message:
      'args, kwargs, queue, chunk and the other fields of a task go with task; with each, give them to the tasks within',
  },
  oneStartRule,
];
