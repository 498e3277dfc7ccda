/** Which events met which states: a pair that never occurs in many seeds is a part of the engine that nobody tried. */
export class Coverage {
  readonly counts = new Map<string, number>();

  add(state: string, event: string): void {
    const pair = `${state} × ${event}`;
    this.counts.set(pair, (this.counts.get(pair) ?? 0) + 1);
  }
}
