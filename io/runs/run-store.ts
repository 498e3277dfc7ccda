import type { AdvanceAnswer, AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';

/** A run as the store knows it: `run48` is its twelve hex digits, claimed at `begin`. */
export interface RunKey {
  readonly uid: string;
  readonly run48: string;
}

export interface BeginRequest {
  readonly uid: string;
  readonly planVersion: number;
  readonly digest: string;
  readonly fence: number;
  /** The run has begun before: a head that is not there was lost, and none is made. Default false. */
  readonly mustExist?: boolean;
}

export type BeginAnswer =
  | { readonly ok: true; readonly run: RunKey; readonly stored: StoredRun; readonly isNew: boolean }
  | { readonly ok: false; readonly refusal: 'StaleFence'; readonly fence: number }
  | { readonly ok: false; readonly refusal: 'HeadMissing' };

/** The server could not be reached or did not answer in time: nothing is known of what it did. */
export class RunStoreUnavailable extends Error {
  override readonly name = 'RunStoreUnavailable';
}

/**
 * Where runs live. Every change goes through `begin` and `advance`, whose rules are `core/workflow/advance.ts`.
 * All methods throw `RunStoreUnavailable` and nothing else.
 */
export interface RunStore {
  /** Takes a shard: everyone with a lower fence is refused from then on. */
  takeShard(shard: number): Promise<number>;
  /**
   * Creates the head and claims 48 bits for the run; finds both when they are there already. A run that had left the
   * registry stands in it again; the end of its keys is not put off.
   */
  begin(request: BeginRequest): Promise<BeginAnswer>;
  /** All or nothing. Calls that do not wait for each other are done in order. Throws RangeError beyond 500 messages. */
  advance(run: RunKey, request: AdvanceRequest): Promise<AdvanceAnswer>;
  read(run: RunKey): Promise<StoredRun | undefined>;
  /** Ends a run: leaves the registry, and every key of it expires after seven days. Repeats are harmless. */
  end(run: RunKey, queues: readonly string[]): Promise<void>;
  /** Every run in the registry of a shard. */
  registered(shard: number): Promise<readonly RunKey[]>;
  /** Names of timers that are due by the server's clock, at most `most`, the earliest first. */
  dueTimers(shard: number, most: number): Promise<readonly string[]>;
  /** Entries of the outbox that were published leave it. By their text, so that a repeat takes nothing that came later. */
  clearOutbox(run: RunKey, published: readonly string[]): Promise<void>;
  /** The server's clock. */
  nowMs(): Promise<number>;
}
