/** Beyond ASCII, JSON is written in escapes, as Python's encoder does: then UTF-8, Latin-1 and the text are the same. */
const beyondAscii = /[^\0-\x7f]/g;

/** The base64 of a JSON text's bytes in UTF-8. */
export function encodeJsonBase64(text: string): string {
  return btoa(text.replace(beyondAscii, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

/** Undefined when this is no base64 of UTF-8. */
export function decodeBase64(encoded: string): string | undefined {
  let binary: string;
  try {
    binary = atob(encoded);
  } catch {
    return undefined;
  }
  // A regular expression of its own: one with the flag g remembers where it was.
  if (!/[^\0-\x7f]/.test(binary)) return binary;
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
