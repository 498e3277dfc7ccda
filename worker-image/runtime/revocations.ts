/** As many as Celery's workers remember, and as long. */
const MOST = 50_000;
const FOR_MS = 3 * 3_600_000;

/** Ids of tasks that shall not run, as far as this worker has heard; the oldest are forgotten. */
export class Revocations {
  /** By the time at which each is forgotten, which is the order of the entries. */
  readonly #until = new Map<string, number>();

  add(ids: Iterable<string>, nowMs: number): void {
    for (const id of ids) {
      // Again at the end: the order of entries is the order of forgetting.
      this.#until.delete(id);
      this.#until.set(id, nowMs + FOR_MS);
    }
    this.#forget(nowMs);
  }

  has(id: string, nowMs: number): boolean {
    return (this.#until.get(id) ?? 0) > nowMs;
  }

  ids(nowMs: number): readonly string[] {
    this.#forget(nowMs);
    return [...this.#until.keys()];
  }

  #forget(nowMs: number): void {
    for (const [id, untilMs] of this.#until) {
      if (untilMs > nowMs && this.#until.size <= MOST) return;
      this.#until.delete(id);
    }
  }
}
