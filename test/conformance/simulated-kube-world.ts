import type { KubeClient, KubeRequest } from '#io/kube/client.ts';
import { Actor } from '../simulation/kernel/actor.ts';
import { Chance } from '../simulation/kernel/chance.ts';
import { Faults, type FaultKind } from '../simulation/kernel/faults.ts';
import { epochMs, Timeline } from '../simulation/kernel/timeline.ts';
import { FakeApiServer } from '../simulation/servers/fake-api-server.ts';
import { linkedKubeClient } from '../simulation/servers/linked-kube-client.ts';
import { checkWorkflowChange } from '../simulation/servers/workflow-admission.ts';
import type { KubeWorld } from './kube-world.ts';

const latencyMs = 1;
let worlds = 0;

/** Faults that strike when a test says so. */
class ToldFaults extends Faults {
  isFailing = false;
  /** Of the next watch; 0: none. */
  throttledSeconds = 0;

  constructor() {
    super({ seed: 1, strengths: new Map(), nowMs: () => 0 });
  }

  override strike(kind: FaultKind): string | undefined {
    if (kind === 'ApiFails') return this.isFailing ? kind : undefined;
    return kind === 'ApiThrottles' && this.throttledSeconds > 0 ? kind : undefined;
  }

  override size(): number {
    const seconds = this.throttledSeconds;
    this.throttledSeconds = 0;
    return seconds;
  }
}

/** The simulation's API server, and time that passes while a test waits for something. */
export function openSimulatedKube(): Promise<KubeWorld> {
  worlds += 1;
  const chance = new Chance(worlds, 'kube');
  const timeline = new Timeline({ chance: chance.split('ties') });
  const nowMs = (): number => timeline.nowMs;
  const api = new FakeApiServer({
    nowText: () => new Date(epochMs + Math.floor(nowMs())).toISOString(),
    newUid: () => newUid(chance),
    admission: checkWorkflowChange,
  });
  const server = { actor: new Actor('api'), isUp: true, incarnation: 1 };
  const linked = (name: string, faults: Faults): KubeClient =>
    linkedKubeClient({ timeline, faults, chance, api, server, latencyMs, client: new Actor(name), lagMs: latencyMs });
  const drive = new Drive(timeline);
  const tester = linked('tester', new Faults({ seed: 1, strengths: new Map(), nowMs }));
  const faults = new ToldFaults();
  const counted = new CountedClient(linked('disturbed', faults));
  return Promise.resolve({
    namespace: `n-${worlds}`,
    client: { call: (request: KubeRequest) => drive.settled(tester.call(request)) } as unknown as KubeClient,
    disturbed: counted as unknown as KubeClient,
    timers: timeline.timersOf(new Actor('timers'), chance),
    settled: (promise) => drive.settled(promise),
    until: (what, withinMs, holds) => drive.until(what, withinMs, holds),
    network: {
      lists: () => counted.lists,
      watches: () => counted.watches,
      failing: (isFailing) => void (faults.isFailing = isFailing),
      throttleNextWatch: (seconds) => void (faults.throttledSeconds = seconds),
      cut: () => api.cut(),
      mute: () => api.mute(),
      forgetPast: () => api.compact(),
    },
    close: () => Promise.resolve(),
  });
}

/** Lets virtual time pass while someone waits. */
class Drive {
  readonly #timeline: Timeline;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  async settled<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const note = (): void => void (isSettled = true);
    promise.then(note, note);
    // What needs no time settles without any.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#timeline.run(() => isSettled, Infinity);
    return promise;
  }

  async until(what: string, withinMs: number, holds: () => boolean): Promise<void> {
    await this.#timeline.run(holds, this.#timeline.nowMs + withinMs);
    if (!holds()) throw new Error(`${what}: not within ${withinMs} ms`);
  }
}

class CountedClient {
  lists = 0;
  watches = 0;
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  call(request: KubeRequest): Promise<string> {
    if (request.method === 'GET' && request.query?.['limit'] !== undefined) this.lists += 1;
    return this.#client.call(request);
  }

  watch(request: Omit<KubeRequest, 'method' | 'lane'>): AsyncGenerator<string, void, undefined> {
    this.watches += 1;
    return this.#client.watch(request);
  }
}

function newUid(chance: Chance): string {
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => chance.between(0, 15).toString(16)).join('');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
}
