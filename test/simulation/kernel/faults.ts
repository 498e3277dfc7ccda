import { hashOf } from './chance.ts';

/** What strikes at a moment of its own. */
export const disasterKinds = [
  'OperatorCrash',
  'OperatorPause',
  'TwoLeaders',
  'SecretTouched',
  'SecretGone',
  'RedisOutage',
  'RedisRestart',
  'RedisTailLost',
  'RedisFailover',
  'RedisWiped',
  'RedisFull',
  'RedisReadonly',
  'RedisHangs',
  'BrokerAway',
  'RunLost',
  'ValuesLost',
  'OutboxLost',
  'ApiOutage',
  'ApiCompaction',
] as const;

export type DisasterKind = (typeof disasterKinds)[number];

/** What can go wrong, by itself or at every occasion anew. */
export const faultKinds = [
  'RequestLost',
  'AnswerLost',
  'Slow',
  'HintLost',
  'HintRepeated',
  'HintLate',
  'SubscriberCut',
  'WatchLag',
  'WatchCut',
  'WatchSilent',
  'WatchExpired',
  'ApiConflict',
  'ApiRefuses',
  'ApiFails',
  'ApiThrottles',
  'WorkerDiesBeforeTask',
  'WorkerDiesBeforeResult',
  'WorkerDiesBeforeAck',
  'WorkerHangs',
  'WorkerSlow',
  'WorkerThoughtDead',
  'WorkerReorders',
  'MessageVanishes',
  'MessageRepeated',
  'ResultVanishes',
  'ClockSkew',
  'DepthsRefused',
  'TakenUnknown',
  'PodStartsLate',
  'PodEvicted',
  'PodVanishes',
  'DeploymentRefused',
  ...disasterKinds,
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** One fault that struck: its key finds it again in another run of the seed. */
export interface Struck {
  readonly key: string;
  readonly atMs: number;
}

export interface FaultsOptions {
  readonly seed: number;
  /** How likely each kind is at each occasion; absent: never. */
  readonly strengths: ReadonlyMap<FaultKind, number>;
  /** Only these strike: a script that is being shrunk. */
  readonly only?: ReadonlySet<string> | undefined;
  readonly nowMs: () => number;
}

/**
 * Decides at each occasion whether a fault strikes: by the seed, the kind, the place, and how often it was asked there.
 * So a run in which some faults are left out asks the same questions and gets the same answers elsewhere.
 */
export class Faults {
  readonly struck: Struck[] = [];
  readonly #options: FaultsOptions;
  readonly #asked = new Map<string, number>();
  #isQuiet = false;

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** From now on nothing strikes any more. */
  quieten(): void {
    this.#isQuiet = true;
  }

  get isQuiet(): boolean {
    return this.#isQuiet;
  }

  /** How likely a kind is in this world; 0 where the swarm left it out. */
  strengthOf(kind: FaultKind): number {
    return this.#options.strengths.get(kind) ?? 0;
  }

  /** The key of the fault, if it strikes here and now. */
  strike(kind: FaultKind, place: string): string | undefined {
    const { strengths, seed, only, nowMs } = this.#options;
    const strength = this.#isQuiet ? undefined : strengths.get(kind);
    if (strength === undefined) return undefined;
    const site = `${kind}@${place}`;
    const nth = (this.#asked.get(site) ?? 0) + 1;
    this.#asked.set(site, nth);
    const key = `${site}#${nth}`;
    const strikes = only === undefined ? hashOf(key, seed) / 4_294_967_296 < strength : only.has(key);
    if (!strikes) return undefined;
    this.struck.push({ key, atMs: nowMs() });
    return key;
  }

  /** A number that belongs to a fault that struck: how long, how much. Both bounds included. */
  size(key: string, least: number, most: number): number {
    return least + Math.floor((hashOf(`${key}/size`, this.#options.seed) / 4_294_967_296) * (most - least + 1));
  }
}
