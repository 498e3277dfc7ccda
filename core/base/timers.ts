/** Time for whoever waits: an elapsed time that never goes back, and calls that come later. Simulations bring their own. */
export interface Timers {
  /** Milliseconds since some moment; only differences mean anything. */
  nowMs(): number;
  /** Calls once, after at least so long; the returned function takes it back. */
  after(delayMs: number, call: () => void): () => void;
  /** A number in [0, 1), to spread waits with. */
  chance(): number;
}
