/** What an actor does when its turn comes. */
export interface Deed {
  /** `Io`: an exchange that is under way. `Timer`: someone waits for time to pass. */
  readonly kind: 'Io' | 'Timer';
  readonly what: string;
  readonly run: () => void;
}

/**
 * A process of the simulated world. Dead, nothing of it happens any more: its answers, timers and hints are dropped.
 * Paused, they wait, and all come at once when it goes on, while the world has moved.
 */
export class Actor {
  readonly name: string;
  /** Calls that it has made, for those who crash it at one. */
  effects = 0;
  readonly deferred: Deed[] = [];
  #state: 'Alive' | 'Paused' | 'Dead' = 'Alive';

  constructor(name: string) {
    this.name = name;
  }

  get state(): 'Alive' | 'Paused' | 'Dead' {
    return this.#state;
  }

  get isDead(): boolean {
    return this.#state === 'Dead';
  }

  kill(): void {
    this.#state = 'Dead';
    this.deferred.length = 0;
  }

  pause(): void {
    if (this.#state === 'Alive') this.#state = 'Paused';
  }

  /** What waited meanwhile, for the timeline to take again. */
  resume(): readonly Deed[] {
    if (this.#state !== 'Paused') return [];
    this.#state = 'Alive';
    return this.deferred.splice(0);
  }
}
