/** Work that wants slots, in messages. */
export interface Demand {
  /** In the broker, taken by nobody. */
  readonly waiting: number;
  /** Due and kept back by the engine, so that the broker holds only a short window. */
  readonly held: number;
  /** Taken by workers and not finished. */
  readonly inFlight: number;
}

export function sumDemand(demand: Demand): number {
  return demand.waiting + demand.held + demand.inFlight;
}
