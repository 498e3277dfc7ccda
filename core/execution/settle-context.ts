/** What a judgement needs to know of the world around it. */
export interface SettleContext {
  readonly nowMs: number;
  /** A fresh UUID at every call: for ids of tasks and groups and for delivery tags. */
  readonly newId: () => string;
  /** How many positional arguments a task of this worker takes; undefined for a task that it does not know. */
  readonly arityOf: (task: string) => number | undefined;
  /** Shown to people as the sender. */
  readonly origin: string;
}
