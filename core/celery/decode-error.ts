import { fail } from '../base/result.ts';

/** Why a stranger's text is not what it should be. `message` names the field, never a value that a user passed. */
export interface DecodeError {
  readonly code: DecodeErrorCode;
  readonly message: string;
}

export type DecodeErrorCode =
  | 'NotJson'
  | 'UnsupportedContentType'
  | 'UnsupportedCompression'
  | 'MissingHeader'
  | 'MalformedHeader'
  | 'MalformedBody'
  | 'MalformedSignature'
  | 'MalformedResult';

export function malformed(code: DecodeErrorCode, message: string): { readonly ok: false; readonly error: DecodeError } {
  return fail({ code, message });
}
