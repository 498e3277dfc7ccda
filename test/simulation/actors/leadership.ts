import { Actor } from '../kernel/actor.ts';
import type { Chance } from '../kernel/chance.ts';
import type { Surroundings } from '../surroundings.ts';
import type { SimulatedOperator } from './simulated-operator.ts';

/** How long a leader that says nothing is believed to live. */
const leaseMs = 4_000;

/** How operators come to lead, and what befalls them. */
export interface Leading {
  begin(): void;
  /** A process of an operator has started. */
  joined(operator: SimulatedOperator): void;
  /** A term has begun. */
  began(operator: SimulatedOperator): void;
  /** The process is gone; its pod starts another one. */
  crash(operator: SimulatedOperator, restartMs: number): void;
  /** Stops stepping while time goes on; wakes up with what it believed. */
  pause(operator: SimulatedOperator, ms: number): void;
  /** Another one begins to lead while the leader is well, and for a time both believe that they do. */
  second(ms: number): void;
  /** After a calm, so long until nobody leads any more who must not. */
  readonly settlesInMs: number;
  /** Everybody is awake from now on, and in the end one leads. */
  calm(): void;
}

/**
 * The Lease as it works out: who begins to lead when, and who learns when that it no longer does. Two lead at once for
 * longer than the product's own Lease would ever let them.
 */
export class Leadership implements Leading {
  readonly settlesInMs = 0;
  readonly #world: Surroundings;
  readonly #chance: Chance;
  readonly #actor = new Actor('lease');
  #leader: SimulatedOperator | undefined;

  constructor(world: Surroundings) {
    this.#world = world;
    this.#chance = world.chance.split('lease');
  }

  begin(): void {
    this.#give(this.#standbys()[0]);
  }

  joined(): void {
    // Told when it leads.
  }

  began(): void {
    // As it was told.
  }

  crash(operator: SimulatedOperator, restartMs: number): void {
    const { timeline, operators } = this.#world;
    operator.actor.kill();
    operators.splice(operators.indexOf(operator), 1);
    timeline.in(restartMs, this.#actor, `${operator.actor.name} starts again`, () => {
      const fresh = this.#world.addOperator(operator.actor.name);
      // A new process in the pod that held the Lease takes it at once.
      if (this.#leader === operator) this.#give(fresh);
    });
    this.#takeOverLater(operator);
  }

  pause(operator: SimulatedOperator, ms: number): void {
    const { timeline } = this.#world;
    operator.actor.pause();
    this.#takeOverLater(operator);
    timeline.in(ms, this.#actor, `${operator.actor.name} wakes up`, () => timeline.resume(operator.actor));
  }

  second(ms: number): void {
    const [next] = this.#standbys();
    const old = this.#leader;
    if (next === undefined) return;
    this.#give(next);
    if (old !== undefined) this.#learn(old, ms);
  }

  calm(): void {
    const { timeline, operators } = this.#world;
    for (const operator of operators) {
      timeline.resume(operator.actor);
      if (operator !== this.#leader) this.#learn(operator, 1_000);
    }
    timeline.in(leaseMs * 2, this.#actor, 'someone leads', () => {
      if (this.#leader === undefined || this.#leader.actor.isDead) this.#give(this.#standbys()[0]);
    });
  }

  #takeOverLater(from: SimulatedOperator): void {
    if (this.#leader !== from) return;
    const { timeline } = this.#world;
    timeline.in(leaseMs + this.#chance.between(0, 1_000), this.#actor, 'the lease ran out', () => {
      if (this.#leader !== from || from.actor.state === 'Alive') return;
      const [next] = this.#standbys();
      if (next === undefined) return;
      this.#give(next);
      // Once awake it notices at its next renewal.
      if (!from.actor.isDead) this.#learn(from, this.#chance.between(0, 3_000));
    });
  }

  #give(operator: SimulatedOperator | undefined): void {
    this.#leader = operator;
    operator?.lead();
  }

  /** Its own next look at the Lease: an event of its own, so a paused one learns after it woke up. */
  #learn(operator: SimulatedOperator, ms: number): void {
    this.#world.timeline.in(ms, operator.actor, 'looks at the lease', () => {
      if (this.#leader !== operator) operator.resign();
    });
  }

  #standbys(): readonly SimulatedOperator[] {
    return this.#world.operators.filter((each) => each !== this.#leader && each.actor.state === 'Alive');
  }
}
