import { parsePythonJson } from '#core/base/python-json.ts';

/** The id in a message's headers, found without decoding: the body is base64 and holds no quotes. */
const idHeader = /"id":\s*"((?:[^"\\]|\\.)*)"/;

export function messageId(text: string): string | undefined {
  return idHeader.exec(text)?.[1];
}

/** The priority in a message's properties; 0 when it cannot be read. */
export function messagePriority(text: string): number {
  try {
    const { properties } = parsePythonJson(text) as { properties?: { priority?: unknown } };
    return typeof properties?.priority === 'number' ? properties.priority : 0;
  } catch {
    return 0;
  }
}
