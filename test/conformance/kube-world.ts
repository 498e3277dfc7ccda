import type { Timers } from '#core/base/timers.ts';
import type { KubeClient } from '#io/kube/client.ts';

/** An API server that is held to what the operator relies on, with a network that fails when a test says so. */
export interface KubeWorld {
  /** Of this test alone; there is nothing in it. */
  readonly namespace: string;
  /** For whoever tests: nothing disturbs it. */
  readonly client: KubeClient;
  /** For what is tested: its calls and watches fail as told. */
  readonly disturbed: KubeClient;
  /** Time as it passes for what uses `disturbed`. */
  readonly timers: Timers;
  readonly network: UnreliableNetwork;
  /** Lets time pass until the promise has settled. */
  settled<T>(promise: Promise<T>): Promise<T>;
  /** Lets time pass until it is so; throws after `withinMs`, or later where time is real. */
  until(what: string, withinMs: number, holds: () => boolean): Promise<void>;
  close(): Promise<void>;
}

/** What may befall calls and watches of `disturbed`. */
export interface UnreliableNetwork {
  /** Lists that were begun. */
  lists(): number;
  /** Watches that were asked for. */
  watches(): number;
  /** Whether every call and new watch is answered with 500. */
  failing(isFailing: boolean): void;
  /** The next watch is answered with 429 and this `Retry-After`. */
  throttleNextWatch(seconds: number): void;
  /** Ends every open watch. */
  cut(): void;
  /** Open watches stay so, and no line comes any more. */
  mute(): void;
  /** What happened so far is forgotten: the next watch cannot begin where the last one ended. */
  forgetPast(): void;
}
