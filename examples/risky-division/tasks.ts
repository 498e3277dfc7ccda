import { current } from 'arpeggio';

class ZeroDivisionError extends Error {
  override readonly name = 'ZeroDivisionError';
}

/** What an errback is told of the task that failed: Celery's request, with its id and arguments. */
type Request = { readonly id: string; readonly task: string };

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
export function on_fail(request: Request, exception: unknown, traceback: string | null): string {
  const message = `${request.task} ${request.id} failed: ${JSON.stringify(exception)}`;
  current().log.warn(message, { tracebackLines: traceback?.split('\n').length ?? 0 });
  return message;
}
