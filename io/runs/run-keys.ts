/** How many candidates there are for the 48 bits of a run. */
export const run48s = 4;

/** How long the keys of a run outlive its end: seven days. */
export const afterlifeSeconds = 7 * 24 * 3600;

/** Names of a run's keys under the connection's prefix; they never change, for they stand under live runs. */
export class RunKeys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  head(uid: string): string {
    return `${this.#prefix}arp:r:${uid}:h`;
  }

  slots(uid: string): string {
    return `${this.#prefix}arp:r:${uid}:s`;
  }

  kept(uid: string): string {
    return `${this.#prefix}arp:r:${uid}:o`;
  }

  outbox(uid: string): string {
    return `${this.#prefix}arp:r:${uid}:x`;
  }

  registry(shard: number): string {
    return `${this.#prefix}arp:runs:${shard}`;
  }

  /** Which run had 48 bits and has ended: as long as anything of it may be found, they are nobody else's. */
  ended(run48: string): string {
    return `${this.#prefix}arp:e:${run48}`;
  }

  ledger(shard: number, queue: string): string {
    return `${this.#prefix}arp:q:${shard}:${queue}`;
  }

  fence(shard: number): string {
    return `${this.#prefix}arp:fence:${shard}`;
  }
}

/**
 * The 48 bits that a run may stand under: its UID's own, then the same shard with the low 40 bits salted. Two runs of the
 * same 48 bits would read each other's results, also where one of them has ended; the later one takes the next candidate.
 */
export function run48Candidates(run48: string): readonly string[] {
  const shard = run48.slice(0, 2);
  const low = BigInt(`0x${run48.slice(2)}`);
  const salted = [1n, 2n, 3n].map((salt) => (low ^ (salt * 0x9e3779b97fn)) & 0xffffffffffn);
  return [run48, ...salted.map((bits) => shard + bits.toString(16).padStart(10, '0'))];
}
