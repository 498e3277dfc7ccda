/** One result to be written: the text that every reader sees, and the state in it. */
export interface ResultWrite {
  readonly id: string;
  /** As `encodeResultMeta` writes it. */
  readonly text: string;
}

/** What can be known of a stored result without fetching it. */
export interface ResultGlance {
  readonly bytes: number;
  /** The first 32 bytes: `statusOf` reads the state there. */
  readonly head: string;
  /** Of a result of `tailFromBytes` or more, its last `tailBytes`: `resultBytesOf` finds the end of the value there. */
  readonly tail: string | undefined;
}

export const tailFromBytes = 1_024;
export const tailBytes = 512;

export interface ResultListener {
  /** A result was stored. A hint: it may be missing, repeated or late. */
  heard(id: string, text: string): void;
  /** Results may have gone unheard until now; look for them. Called at the start and whenever the connection is back. */
  missed(): void;
}

export interface Hearing {
  /** Stops it; harmless when repeated. */
  close(): void;
}

/** Which channels to hear: ids that match the glob pattern. */
export interface HearingOptions {
  /** Patterns of ids. Default: every UUIDv8, which is what the engine gives its tasks. */
  readonly ids?: readonly string[];
}

export const engineIds = '????????-????-8*';

/** The store could not be reached or did not answer in time: nothing is known of what it did. */
export class ResultStoreUnavailable extends Error {
  override readonly name = 'ResultStoreUnavailable';
  /** It did answer, and never will take one of these results, whose key is of another type; others it may have taken. */
  readonly isRefusal: boolean;

  constructor(
    message: string,
    { isRefusal = false, ...options }: ErrorOptions & { readonly isRefusal?: boolean } = {},
  ) {
    super(message, options);
    this.isRefusal = isRefusal;
  }
}

/** Celery's result backend. Every method throws `ResultStoreUnavailable` and nothing else. */
export interface ResultStore {
  /** Writes and announces; false for each result that stood against a SUCCESS, which is final. */
  store(writes: readonly ResultWrite[]): Promise<readonly boolean[]>;
  /** The stored texts, in the order asked; undefined where nothing is stored. */
  read(ids: readonly string[]): Promise<readonly (string | undefined)[]>;
  glance(ids: readonly string[]): Promise<readonly (ResultGlance | undefined)[]>;
  /** Hears results from the moment `listener.missed` is called first. */
  hear(listener: ResultListener, options?: HearingOptions): Hearing;
}
