/** Why the API server did not do what was asked; `Unreachable` and `TimedOut` never reached an answer. */
export type KubeErrorCode =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Expired'
  | 'Invalid'
  | 'Unauthorized'
  | 'Forbidden'
  | 'TooManyRequests'
  | 'ServerFailed'
  | 'Refused'
  | 'Unreachable'
  | 'TimedOut';

const retryableCodes: ReadonlySet<KubeErrorCode> = new Set([
  'Conflict',
  'Expired',
  'Unauthorized',
  'TooManyRequests',
  'ServerFailed',
  'Unreachable',
  'TimedOut',
]);

interface KubeErrorDetails extends ErrorOptions {
  /** HTTP status; absent when there was no answer. */
  readonly status?: number;
  /** The API server's own word, such as `NamespaceTerminating` beside `Forbidden`. */
  readonly reason?: string;
  /** When the server asked to be left alone for a while. */
  readonly retryAfterMs?: number;
  /** The server's causes: `NamespaceTerminating` stands here. */
  readonly causes?: readonly string[];
}

/** A call to the Kubernetes API failed. Callers branch on `code`, or on `retryable` alone. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly code: KubeErrorCode;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly causes: readonly string[];

  constructor(code: KubeErrorCode, message: string, details: KubeErrorDetails = {}) {
    super(message, details);
    this.code = code;
    this.status = details.status;
    this.reason = details.reason;
    this.retryAfterMs = details.retryAfterMs;
    this.causes = details.causes ?? [];
  }

  /** The same call, made again later or from fresher reads, may succeed. */
  get retryable(): boolean {
    return retryableCodes.has(this.code);
  }

  /** The namespace is on its way out: nothing new may be created there, and nothing needs to be. */
  get isNamespaceGoing(): boolean {
    return this.causes.includes('NamespaceTerminating');
  }
}

export function isKubeError(error: unknown, code?: KubeErrorCode): error is KubeError {
  return error instanceof KubeError && (code === undefined || error.code === code);
}

interface StatusBody {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string }[];
  };
}

/** The error that an answer of the API server stands for: its `Status` object, where it sent one. */
export function errorOfAnswer(call: string, status: number, body: string, retryAfter?: string): KubeError {
  const said = parseStatus(body);
  const message = `${call}: ${String(status)} ${said.message ?? body.slice(0, 200)}`.trim();
  const seconds = said.details?.retryAfterSeconds ?? Number(retryAfter);
  const causes = (said.details?.causes ?? []).flatMap((cause) => (cause.reason === undefined ? [] : [cause.reason]));
  return new KubeError(codeOf(status, said), message, {
    status,
    causes,
    ...(said.reason === undefined ? {} : { reason: said.reason }),
    ...(Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}),
  });
}

function parseStatus(body: string): StatusBody {
  try {
    const value: unknown = JSON.parse(body);
    return value !== null && typeof value === 'object' ? value : {};
  } catch {
    return {};
  }
}

const codeByStatus: Readonly<Record<number, KubeErrorCode>> = {
  400: 'Invalid',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  413: 'Invalid',
  422: 'Invalid',
  429: 'TooManyRequests',
};

/** What etcd, or the way there, says of an object that it will never take; the API server passes it on as a 500. */
const tooLarge = /request is too large|message larger than max/;

function codeOf(status: number, { reason, message = '' }: StatusBody): KubeErrorCode {
  if (reason === 'AlreadyExists') return 'AlreadyExists';
  if (status >= 500 && tooLarge.test(message)) return 'Invalid';
  return codeByStatus[status] ?? (status >= 500 ? 'ServerFailed' : 'Refused');
}
