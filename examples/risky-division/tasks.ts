import { current } from 'arpeggio';

class ZeroDivisionError extends Error {
  override readonly name = 'ZeroDivisionError';
}

/** What an errback is told of the task that failed: Celery's request, with its id and arguments. */
type Request = { readonly id: string; readonly task: string };

/** An exception as Celery writes it down. */
type Exception = { readonly exc_type: string; readonly exc_message: readonly unknown[] };

export function divide(a: number, b: number): number {
  if (b === 0) throw new ZeroDivisionError('division by zero');
  return a / b;
}

/** The callback: called with the result. */
export function on_success(result: number): string {
  const message = `the division gave ${result}`;
  current().log.info(message);
  return message;
}

/** The errback: called with the request of the failed task, its exception, and the traceback. */
export function on_fail(request: Request, exception: Exception, traceback: string | null): string {
  const reason = `${exception.exc_type}: ${exception.exc_message.join(' ')}`;
  const message = `${request.task} ${request.id} failed with ${reason}`;
  current().log.warn(message, { tracebackLines: traceback?.split('\n').length ?? 0 });
  return message;
}
