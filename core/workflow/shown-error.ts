import { cutText } from '#core/base/cut-text.ts';
import { limits } from '#core/base/limits.ts';
import { readError, type Failure, type ReadError } from './failure.ts';

/** An exception as status shows it, no longer than that holds. What is stored, and what errbacks get, stays as it was raised. */
export function shownError({ exc }: Failure): Pick<ReadError, 'type' | 'message'> {
  const error = readError(exc);
  return { type: cutText(error.type, 255), message: cutText(inWords(error), limits.shownErrorCharacters) };
}

/** The same in one line: type and message. */
export function shownErrorText({ exc }: Failure): string {
  const error = readError(exc);
  return cutText(`${error.type}: ${inWords(error)}`, limits.shownErrorCharacters);
}

/** Celery's own argument is the bare number of seconds (celery/worker/request.py, `on_timeout`). */
function inWords({ type, module, message }: ReadError): string {
  const isSeconds = module === 'billiard.exceptions' && type === 'TimeLimitExceeded' && /^\d+(\.\d+)?$/.test(message);
  return isSeconds ? `it ran longer than its time limit of ${message} s, and was ended` : message;
}
