/** A stream of chance that its name and the seed decide wholly: a call more in one stream shifts no other. */
export class Chance {
  readonly #seed: number;
  #state: number;

  constructor(seed: number, name: string) {
    this.#seed = seed;
    this.#state = hashOf(name, seed);
  }

  /** A stream of its own, whatever was drawn from this one. */
  split(name: string): Chance {
    return new Chance(hashOf(name, this.#seed), name);
  }

  /** In [0, 1). Mulberry32: fast, and good enough to choose with. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  happens(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number, both bounds included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[Math.floor(this.next() * list.length)];
    if (picked === undefined) throw new RangeError('there is nothing to pick from');
    return picked;
  }

  /** One of the words, each as likely as its weight says. */
  weighed<K extends string>(weights: Readonly<Record<K, number>>): K {
    const words = Object.entries<number>(weights) as [K, number][];
    let left = this.next() * words.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [word, weight] of words) if ((left -= weight) < 0) return word;
    return words.at(-1)![0];
  }
}

/** FNV-1a over UTF-16 units, mixed at the end. */
export function hashOf(text: string, seed: number): number {
  let hash = (seed ^ 0x811c9dc5) | 0;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
