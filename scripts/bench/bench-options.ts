/** What the command line asked for. */
export type BenchOptions = {
  /** Ids of the rows to measure; empty: all. */
  readonly only: readonly string[];
  /** Members of Celery's largest group and chord; ours are always measured with 10,000. */
  readonly celeryMembers: number;
  /** Measure the rows that take minutes as well. */
  readonly withHeavy: boolean;
  /** Measure Celery as well. */
  readonly withPeer: boolean;
  /** Slots of our one worker process. */
  readonly concurrency: number;
  /** Write all figures here as JSON. */
  readonly json: string | undefined;
  /** Profile operator, worker and API server into this folder. */
  readonly profile: string | undefined;
};
