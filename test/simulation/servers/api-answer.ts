/** An answer as HTTP carries it. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter?: string;
}

/** The API server's word against a request: thrown where it is found, answered where it was asked. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly answer: ApiAnswer;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.answer = refusal(status, reason, message);
  }
}

export function refusal(status: number, reason: string, message: string, retryAfter?: string): ApiAnswer {
  const body = JSON.stringify(statusOf(status, reason, message));
  return retryAfter === undefined ? { status, body } : { status, body, retryAfter };
}

/** The line of a watch that cannot be had, or no longer. */
export function errorLine(status: number, reason: string, message: string): string {
  return JSON.stringify({ type: 'ERROR', object: statusOf(status, reason, message) });
}

/** What the server says without a reason of its own has none. */
function statusOf(code: number, reason: string, message: string): object {
  const word = reason === '' ? {} : { reason };
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, ...word, message };
}
