import type { JsonText } from '../base/json-text.ts';
import type { CeleryException } from '../celery/exception.ts';

/** An exception with where it was thrown. */
export interface Raised {
  readonly exception: CeleryException;
  /** Readable by people; null when there is none. */
  readonly traceback: string | null;
}

/** How one run of a task ended, as a word; `settle` acts on it. */
export type Outcome =
  | { readonly kind: 'Succeeded'; readonly resultText: JsonText }
  | ({ readonly kind: 'Failed' } & Raised)
  /** The task asks to run again under the same id, `retries` one higher; `maxRetries` null is without end. */
  | ({
      readonly kind: 'Retried';
      readonly afterSeconds: number;
      readonly maxRetries: number | null;
      /** The task named no error of its own: past the last retry it fails with MaxRetriesExceededError. */
      readonly isBare: boolean;
    } & Raised)
  /** The task wants no result, whatever it did. */
  | { readonly kind: 'Ignored' }
  /** The task wants its message back in its queue: this run is no end. */
  | { readonly kind: 'Requeued' }
  /** `expired`, `revoked` or `terminated`: nothing ran, and nobody is called. */
  | { readonly kind: 'Revoked'; readonly reason: string }
  | { readonly kind: 'NotRegistered' }
  /** The thread or process that ran it is gone. */
  | {
      readonly kind: 'Lost';
      readonly message: string;
      /** The same for a log, without words of the user's own. Default: the message. */
      readonly told?: string;
    }
  | { readonly kind: 'TimedOut'; readonly hardSeconds: number }
  /** Too many workers died with this message in their hands. */
  | { readonly kind: 'Poisonous'; readonly deliveries: number };

/** An outcome after which the message is done with. */
export type EndOutcome = Exclude<Outcome, { readonly kind: 'Requeued' }>;
