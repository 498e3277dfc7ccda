import type { Actor } from './actor.ts';
import type { Chance } from './chance.ts';
import type { Faults } from './faults.ts';
import type { Timeline } from './timeline.ts';

/** Where calls are performed. */
export interface Server {
  readonly actor: Actor;
  /** False: every call fails, unperformed. */
  readonly isUp: boolean;
  /** Connections that were open are cut. */
  readonly incarnation: number;
  /** It takes calls and answers none. */
  readonly isHanging?: boolean;
  /** Why it refuses a call, though it answers; undefined when it performs it. */
  readonly refusalOf?: (what: string) => string | undefined;
}

export interface LinkOptions {
  readonly timeline: Timeline;
  readonly faults: Faults;
  readonly client: Actor;
  readonly server: Server;
  readonly chance: Chance;
  /** Usual time to the server and back. */
  readonly latencyMs: number;
  /** What a caller gets that knows nothing of what became of its call. */
  readonly failure: (why: string) => Error;
  /** Told of each call before it leaves and after it was performed; who is told may kill the client. */
  readonly witness?: ((when: 'Before' | 'After', client: Actor, what: string) => void) | undefined;
}

interface Call {
  readonly what: string;
  readonly perform: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A call that is not answered is given up. */
const patienceMs = 5_000;

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/**
 * A connection to a server. Calls made at one moment travel together, as clients pipeline them; all are performed in the
 * order in which they were made, and answered in that order. Any may be lost on its way, or its answer.
 */
export class Link {
  readonly #options: LinkOptions;
  #batch: { readonly calls: Call[]; readonly madeAtMs: number } | undefined;
  #performsAtMs = 0;
  #answersAtMs = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  call<T>(what: string, perform: () => T | Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const { client, witness } = this.#options;
      witness?.('Before', client, what);
      if (client.isDead) return;
      this.#add({ what, perform, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  #add(call: Call): void {
    const { timeline, server } = this.#options;
    if (this.#batch?.madeAtMs === timeline.nowMs) {
      this.#batch.calls.push(call);
      return;
    }
    const batch = { calls: [call], madeAtMs: timeline.nowMs };
    this.#batch = batch;
    const { incarnation } = server;
    this.#performsAtMs = Math.max(timeline.nowMs + this.#delay(), this.#performsAtMs + 0.001);
    timeline.at(this.#performsAtMs, server.actor, call.what, () => this.#perform(batch.calls, incarnation));
  }

  #perform(calls: readonly Call[], incarnation: number): void {
    this.#batch = undefined;
    const { faults, server, client, witness, failure } = this.#options;
    if (!server.isUp || server.incarnation !== incarnation) {
      this.#answer(calls, () => ({ error: failure('the connection is broken') }), this.#delay());
      return;
    }
    if (server.isHanging === true) {
      this.#answer(calls, () => ({ error: failure('no answer in time') }), patienceMs);
      return;
    }
    const site = client.name;
    const lost = faults.strike('RequestLost', site);
    if (lost !== undefined) {
      this.#answer(calls, () => ({ error: failure('no answer in time') }), faults.size(lost, 1, 5_000));
      return;
    }
    const outcomes = calls.map(({ what, perform }) => {
      const refusal = server.refusalOf?.(what);
      return refusal === undefined ? performed(perform) : () => ({ error: failure(refusal) });
    });
    for (const { what } of calls) witness?.('After', client, what);
    const unheard = faults.strike('AnswerLost', site);
    if (unheard !== undefined) {
      this.#answer(calls, () => ({ error: failure('no answer in time') }), faults.size(unheard, 1, 5_000));
      return;
    }
    const slow = faults.strike('Slow', site);
    const delayMs = this.#delay() + (slow === undefined ? 0 : faults.size(slow, 20, 8_000));
    this.#answer(calls, (index) => outcomes[index]!(), delayMs);
  }

  #answer(calls: readonly Call[], outcomeOf: (index: number) => Outcome, delayMs: number): void {
    const { timeline, client } = this.#options;
    this.#answersAtMs = Math.max(timeline.nowMs + delayMs, this.#answersAtMs + 0.001);
    timeline.at(this.#answersAtMs, client, `${calls[0]!.what} answered`, () => {
      calls.forEach(({ resolve, reject }, index) => {
        const outcome = outcomeOf(index);
        if ('error' in outcome) reject(outcome.error);
        else resolve(outcome.value);
      });
    });
  }

  #delay(): number {
    const { chance, latencyMs } = this.#options;
    return (latencyMs * (0.5 + chance.next())) / 2;
  }
}

const unanswered: Outcome = { error: new Error('a server in memory did not answer at once') };

/** Performs at once; servers in memory have their answer ready before the next happening. */
function performed(perform: () => unknown): () => Outcome {
  let outcome = unanswered;
  try {
    const value = perform();
    if (value instanceof Promise) {
      value.then(
        (settled: unknown) => (outcome = { value: settled }),
        (error: unknown) => (outcome = { error }),
      );
    } else outcome = { value };
  } catch (error) {
    outcome = { error };
  }
  return () => outcome;
}
