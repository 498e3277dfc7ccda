import { shapesInWords } from '../leaf.ts';
import type { OpenApiSchema, ValidationRule } from './open-api-schema.ts';

/** Text of a shape that can be said in words: the API server then says these instead of a regular expression. */
export function wordedText(schema: OpenApiSchema): OpenApiSchema {
  const { pattern, ...rest } = schema;
  const message = typeof pattern === 'string' && schema.type === 'string' ? shapesInWords.get(pattern) : undefined;
  if (message === undefined) return schema;
  const rule = `self.matches(r"${String(pattern)}")`;
  // Rules of its own cannot be judged of text that has another shape.
  const own = (schema['x-kubernetes-validations'] ?? []).map((each) => ({ ...each, rule: `!${rule} || ${each.rule}` }));
  return { ...rest, 'x-kubernetes-validations': [{ rule, message }, ...own] };
}

/** The same of all text within. For schemas whose lists are short: rules are reckoned by the bounds of the lists around. */
export function wordedSchema(schema: OpenApiSchema): OpenApiSchema {
  const { properties, items } = schema;
  return wordedText({
    ...schema,
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, wordedSchema(each)])) }),
    ...(items === undefined ? {} : { items: wordedSchema(items) }),
  });
}

/** Whether a rule tells of a shape, which descriptions tell as well. */
export function isShapeRule({ rule }: ValidationRule): boolean {
  return rule.startsWith('self.matches(');
}
