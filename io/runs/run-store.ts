import type { AdvanceAnswer, AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';
import type { RestoreAnswer, RestoreRequest } from '#core/workflow/restore.ts';

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
 * Where runs live. Every change goes through `begin`, `advance` and `restore`, whose rules are `core/workflow/advance.ts`
 * and `core/workflow/restore.ts`. All methods throw `RunStoreUnavailable` and, where it says so, RangeError.
 *
 * A change with a fence above the shard's is taken, and that fence stands from then on: a server that lost its data has
 * lost its fences, too, and the older of two operators must not go on beside the newer.
 */
export interface RunStore {
  /** Takes a shard: everyone with a lower fence is refused from then on. */
  takeShard(shard: number): Promise<number>;
  /**
   * Creates the head and claims 48 bits for the run; finds both when they are there already. A run that had left the
   * registry stands in it again, and its keys have no end any more: it was taken for ended by mistake, or goes on.
   */
  begin(request: BeginRequest): Promise<BeginAnswer>;
  /**
   * All or nothing. Calls that do not wait for each other are done in order. With a new round the keys of a run that had
   * ended have no end any more. Throws RangeError beyond 500 messages, and when a new round is asked for together with
   * records, messages or a cancel.
   */
  advance(run: RunKey, request: AdvanceRequest): Promise<AdvanceAnswer>;
  /** Writes a whole run back, and its place in registry and ledger; all or nothing. Its keys have no end from then on. */
  restore(run: RunKey, request: RestoreRequest): Promise<RestoreAnswer>;
  /** The whole run as it stood at one moment. */
  read(run: RunKey): Promise<StoredRun | undefined>;
  /** The revision of each, in the order given; undefined where a run is not there or not whole. Each is of a moment of its own. */
  revisions(runs: readonly RunKey[]): Promise<readonly (number | undefined)[]>;
  /**
   * Ends a run: it leaves registry and ledger, and every key of it expires after seven days. Until then its 48 bits are
   * nobody else's, for its results may be found. Repeats are harmless.
   */
  end(run: RunKey): Promise<void>;
  /** Every run in the registry of a shard. */
  registered(shard: number): Promise<readonly RunKey[]>;
  /** Entries of the outbox that were published leave it. By their text, so that a repeat takes nothing that came later. */
  clearOutbox(run: RunKey, published: readonly string[]): Promise<void>;
  /** The server's clock. */
  nowMs(): Promise<number>;
  /**
   * Calls back each time that the server may be another, or the same with other data: it restarted, failed over, or was
   * put in another's place. Whether a run lost anything its revision tells. Watch before the first run is read; returns
   * how to stop. Data deleted while the server stays the same (`FLUSHALL`) is not told: `revisions` shows it.
   */
  watchServer(onChanged: () => void): () => void;
}
