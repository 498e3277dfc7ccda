import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import type { Written, WrittenMap } from './reference-canvas.ts';

interface Around {
  readonly depth: number;
  readonly inMap: boolean;
  /** Names that may be spoken of here. */
  readonly known: readonly string[];
}

/** Canvases of every kind within every other, the same for the same seed. */
export class RandomCanvas {
  #state: number;
  #names = 0;
  #tasks = 0;

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761 + 1) >>> 0;
  }

  /** One that is taken. */
  root(): Written {
    for (;;) {
      const drawn = this.#drawn();
      if (parseWorkflowSpec(drawn).ok) return drawn;
    }
  }

  #drawn(): Written {
    const {
      name: _name,
      when: _when,
      onFailure: _onFailure,
      ...root
    } = this.#element({ depth: 0, inMap: false, known: [] });
    return root;
  }

  below(count: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 0x1_0000_0000) * count);
  }

  chance(probability: number): boolean {
    return this.below(1_000) < probability * 1_000;
  }

  #element(around: Around): Written {
    const inner = this.#inner(around);
    return {
      ...inner,
      ...(this.chance(0.2) ? { when: this.#of(['true', 'true', 'false', 'false', '1 / 0 > 0']) } : {}),
      ...(this.chance(0.25) ? { onFailure: 'Continue' as const } : {}),
      ...(this.chance(0.15) ? { link: [this.#handler('linked')] } : {}),
      ...(this.chance(0.2) ? { linkError: [this.#handler('told')] } : {}),
    };
  }

  #inner(around: Around): Written {
    const within = { ...around, depth: around.depth + 1 };
    if (around.depth > 0 && this.chance(0.2 + around.depth * 0.12)) return this.#task(around);
    switch (this.below(around.inMap ? 4 : 5)) {
      case 0:
        return { group: this.#some(() => this.#element(within)) };
      case 1:
        return { chord: { header: this.#some(() => this.#element(within)), body: this.#element(within) } };
      case 4:
        return { map: this.#map(within) };
      case 2:
        return this.#task(around);
      default:
        return { chain: this.#chain(within) };
    }
  }

  #chain(around: Around): readonly Written[] {
    const known = [...around.known];
    return this.#some(() => {
      const member = this.#element({ ...around, known: [...known] });
      if (this.chance(0.7)) return member;
      const name = `n${(this.#names += 1)}`;
      known.push(name);
      return { ...member, name };
    });
  }

  #map(around: Around): WrittenMap {
    const over = this.#of([{ over: [1, 2] }, { over: [[1, 2], [3]] }, { over: [] }, { range: 3 }, {}, {}]);
    const unpack = 'over' in over && Array.isArray(over.over[0]) && this.chance(0.5) ? { unpack: true } : {};
    if (this.chance(0.4)) return { ...over, ...unpack, task: this.#name(), args: [this.#mark()] };
    return { ...over, ...unpack, each: this.#element({ ...around, inMap: true }) };
  }

  #task({ known }: Around): Written {
    const speaks = known.length > 0 && this.chance(0.4) ? [{ $result: this.#of(known) }] : [];
    const immutable = this.chance(0.2) ? { immutable: true } : {};
    return { task: this.#name(), args: [...speaks, this.#mark()], ...immutable };
  }

  #handler(name: string): Written {
    return { task: name, args: [this.#mark()] };
  }

  #name(): string {
    return this.#of(['boom', 'seven', 'a', 'b', 'c', 'd', 'e', 'f']);
  }

  /** Tells the calls of a canvas apart. */
  #mark(): string {
    return `#${(this.#tasks += 1)}`;
  }

  #some<T>(make: () => T): readonly T[] {
    return Array.from({ length: this.#of([0, 1, 1, 2, 2, 3]) }, make);
  }

  #of<T>(choices: readonly T[]): T {
    const chosen = choices[this.below(choices.length)];
    if (chosen === undefined) throw new RangeError('nothing to choose from');
    return chosen;
  }
}
