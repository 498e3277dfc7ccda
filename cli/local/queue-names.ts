import { fieldsOf } from '../manifest/manifest.ts';

const naming: ReadonlySet<string> = new Set(['queue', 'escalateTo']);

/** Every TaskQueue that a spec names, wherever. Arguments are not looked into. */
export function queueNamesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(queueNamesIn);
  return Object.entries(fieldsOf(value)).flatMap(([key, each]) => {
    if (key === 'args' || key === 'kwargs' || key === 'over') return [];
    return naming.has(key) && typeof each === 'string' ? [each] : queueNamesIn(each);
  });
}
