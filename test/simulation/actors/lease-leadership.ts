import { objectPath, resources } from '#io/kube/resource.ts';
import { leaseTimes } from '#operator/control/leader-gate.ts';
import { Actor } from '../kernel/actor.ts';
import { Violation } from '../oracle/violation.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Leading } from './leadership.ts';
import type { SimulatedOperator } from './simulated-operator.ts';

export const leaseName = { namespace: 'team', name: 'arpeggio-operator' } as const;

/** After its Lease was taken away, a holder leads on until it asks again, and at most for as long as it may without. */
const mayBeTwoMs = leaseTimes.renewWithinMs + 500;
/** What a process that wakes up must do first takes no longer. */
const awakeAfterMs = 10;

/** Operators lead by the product's own Lease and gate; never two at once, unless one sleeps or its Lease was taken away. */
export class LeaseLeadership implements Leading {
  readonly #world: Surroundings;
  readonly #actor = new Actor('fate');
  #processes = 0;
  #takenAwayAtMs = -Infinity;

  constructor(world: Surroundings) {
    this.#world = world;
  }

  begin(): void {
    // They contend by themselves.
  }

  joined(operator: SimulatedOperator): void {
    this.#processes += 1;
    operator.contend(leaseName, `${operator.actor.name}_${this.#processes}`);
  }

  began(operator: SimulatedOperator): void {
    this.#judge(operator);
  }

  get settlesInMs(): number {
    return mayBeTwoMs;
  }

  crash(operator: SimulatedOperator, restartMs: number): void {
    const { timeline, operators } = this.#world;
    operator.actor.kill();
    operators.splice(operators.indexOf(operator), 1);
    timeline.in(restartMs, this.#actor, `${operator.actor.name} starts again`, () => {
      this.#world.addOperator(operator.actor.name);
    });
  }

  pause(operator: SimulatedOperator, ms: number): void {
    operator.actor.pause();
    this.#world.timeline.in(ms, this.#actor, `${operator.actor.name} wakes up`, () => this.#wake(operator));
  }

  /** Someone deletes the Lease: whoever asks first has it, while its holder has not noticed. */
  second(): void {
    const { timeline, api } = this.#world;
    this.#takenAwayAtMs = timeline.nowMs;
    api.handle({ method: 'DELETE', path: objectPath(resources.leases, leaseName) });
    timeline.in(mayBeTwoMs, this.#actor, 'one leads again', () => this.#judgeAll());
  }

  calm(): void {
    for (const operator of this.#world.operators) this.#wake(operator);
  }

  #judgeAll(): void {
    for (const operator of this.#world.operators) this.#judge(operator);
  }

  #wake(operator: SimulatedOperator): void {
    const { timeline } = this.#world;
    if (operator.actor.state !== 'Paused') return;
    timeline.resume(operator.actor);
    timeline.in(awakeAfterMs, this.#actor, `${operator.actor.name} is awake`, () => this.#judge(operator));
  }

  #judge(operator: SimulatedOperator): void {
    const { oracle, operators, timeline } = this.#world;
    const isAwakeLeader = (each: SimulatedOperator): boolean => each.isLeading && each.actor.state === 'Alive';
    if (!isAwakeLeader(operator) || timeline.nowMs < this.#takenAwayAtMs + mayBeTwoMs) return;
    const other = operators.find((each) => each !== operator && isAwakeLeader(each));
    if (other === undefined) return;
    oracle.fail(new Violation('P9', `${operator.actor.name} and ${other.actor.name} lead at once`));
  }
}
