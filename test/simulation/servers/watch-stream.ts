import type { KubeRequest } from '#io/kube/client.ts';
import { KubeError } from '#io/kube/kube-error.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Faults } from '../kernel/faults.ts';
import type { Server } from '../kernel/link.ts';
import type { Timeline } from '../kernel/timeline.ts';
import { errorLine } from './api-answer.ts';
import type { FakeApiServer } from './fake-api-server.ts';

export interface WatchStreamOptions {
  readonly timeline: Timeline;
  readonly faults: Faults;
  readonly client: Actor;
  readonly server: Server;
  readonly api: FakeApiServer;
  /** Usual time from a change until a watch tells of it. */
  readonly lagMs: number;
}

const bookmarkEveryMs = 60_000;

/** One watch: lines arrive in their order, late, until it breaks. */
export class WatchStream {
  readonly #options: WatchStreamOptions;
  readonly #request: Omit<KubeRequest, 'method' | 'lane'>;
  #arrived: string[] = [];
  #arrivesAtMs = 0;
  #isMute = false;
  #failure: unknown;
  #isOver = false;
  #wake: (() => void) | undefined;
  #stop: () => void = () => undefined;

  constructor(options: WatchStreamOptions, request: Omit<KubeRequest, 'method' | 'lane'>) {
    this.#options = options;
    this.#request = request;
  }

  /** At the server. */
  begin(): void {
    const { api, timeline, client } = this.#options;
    const onCut = (): void => {
      // Told to the client, which may be asleep: it learns when it wakes.
      timeline.in(0, client, 'watch cut', () => this.#fail(new KubeError('Unreachable', 'the watch was cut')));
    };
    this.#stop = api.watch(this.#request, { listener: (line) => this.#send(line), onCut });
    this.#bookmarkLater();
  }

  async *lines(): AsyncGenerator<string, void, undefined> {
    this.#endAfter(Number(this.#request.query?.['timeoutSeconds'] ?? 300) * 1_000);
    try {
      for (;;) {
        const next = this.#arrived.shift();
        if (next !== undefined) yield next;
        else if (this.#failure !== undefined) throw this.#failure as Error;
        else if (this.#isOver) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.#isOver = true;
      this.#stop();
    }
  }

  #endAfter(ms: number): void {
    const { timeline, client } = this.#options;
    const { signal } = this.#request;
    const stop = timeline.timer(ms, client, 'watch ends', () => this.#end());
    signal?.addEventListener('abort', () => {
      stop();
      this.#fail(signal.reason);
    });
  }

  #send(line: string): void {
    if (this.#isMute || this.#isOver) return;
    const { faults, client, timeline, lagMs } = this.#options;
    const late = faults.strike('WatchLag', client.name);
    const lag = lagMs + (late === undefined ? 0 : faults.size(late, 50, 15_000));
    this.#arrivesAtMs = Math.max(timeline.nowMs + lag, this.#arrivesAtMs + 0.001);
    timeline.at(this.#arrivesAtMs, client, 'watch line', () => this.#arrive(line));
  }

  #arrive(line: string): void {
    const { faults, client } = this.#options;
    const site = client.name;
    if (this.#isMute || this.#isOver || this.#failure !== undefined) return;
    if (faults.strike('WatchCut', site) !== undefined) {
      this.#fail(new KubeError('Unreachable', 'the watch was cut'));
    } else if (faults.strike('WatchSilent', site) !== undefined) {
      this.#isMute = true;
    } else if (faults.strike('WatchExpired', site) !== undefined) {
      this.#take(errorLine(410, 'Expired', 'too old resource version'));
    } else this.#take(line);
  }

  #bookmarkLater(): void {
    const { api, timeline, server } = this.#options;
    const send = (): void => {
      if (this.#isOver || this.#failure !== undefined) return;
      this.#send(api.bookmark());
      this.#bookmarkLater();
    };
    timeline.timer(bookmarkEveryMs, server.actor, 'bookmark', send);
  }

  #take(line: string): void {
    this.#arrived.push(line);
    this.#wake?.();
  }

  #end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#stop();
    this.#wake?.();
  }
}
