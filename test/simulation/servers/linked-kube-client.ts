import type { KubeClient, KubeRequest } from '#io/kube/client.ts';
import { errorOfAnswer, KubeError } from '#io/kube/kube-error.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Faults } from '../kernel/faults.ts';
import { Link, type LinkOptions } from '../kernel/link.ts';
import type { Timeline } from '../kernel/timeline.ts';
import { refusal, type ApiAnswer, type FakeApiServer } from './fake-api-server.ts';

export interface LinkedKubeClientOptions extends Omit<LinkOptions, 'failure'> {
  readonly api: FakeApiServer;
  /** Usual time from a change until a watch tells of it. */
  readonly lagMs: number;
}

const bookmarkEveryMs = 60_000;

/** The product's client as its callers see it, over a connection in virtual time. */
export function linkedKubeClient(options: LinkedKubeClientOptions): KubeClient {
  return new LinkedKubeClient(options) as unknown as KubeClient;
}

class LinkedKubeClient {
  readonly #options: LinkedKubeClientOptions;
  readonly #link: Link;

  constructor(options: LinkedKubeClientOptions) {
    this.#options = options;
    this.#link = new Link({ ...options, failure: (why) => new KubeError('Unreachable', why) });
  }

  async call(request: KubeRequest): Promise<string> {
    const what = `${request.method} ${request.path.replace(/.*\/namespaces\//, '')}`;
    const answer = await this.#link.call(what, () => this.#perform(request));
    if (answer.status < 300) return answer.body;
    throw errorOfAnswer(what, answer.status, answer.body, answer.retryAfter);
  }

  async *watch(request: Omit<KubeRequest, 'method' | 'lane'>): AsyncGenerator<string, void, undefined> {
    const stream = new WatchStream(this.#options, request.signal);
    const { api } = this.#options;
    const version = String(request.query?.['resourceVersion'] ?? '0');
    await this.#link.call('watch', () => stream.begin(api, request.path, version));
    stream.endAfter(Number(request.query?.['timeoutSeconds'] ?? 300) * 1_000);
    yield* stream.lines();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #perform(request: KubeRequest): ApiAnswer {
    const { api, faults, client } = this.#options;
    const site = client.name;
    if (faults.strike('ApiFails', site) !== undefined) return refusal(500, 'InternalError', 'etcd is away');
    const throttled = faults.strike('ApiThrottles', site);
    if (throttled !== undefined) {
      return refusal(429, 'TooManyRequests', 'too many requests', String(faults.size(throttled, 1, 8)));
    }
    if (request.method === 'PATCH') {
      if (faults.strike('ApiConflict', site) !== undefined) touch(api, request.path);
      const isRefused = request.body?.includes('/status/result"') === true;
      if (isRefused && faults.strike('ApiRefuses', site) !== undefined) return refusal(422, 'Invalid', 'not this');
    }
    return api.handle(request);
  }
}

/** Someone else writes a label. */
function touch(api: FakeApiServer, path: string): void {
  const body = JSON.stringify({ metadata: { labels: { touched: 'yes' } } });
  const at = path.replace(/\/status$/, '');
  api.handle({ method: 'PATCH', path: at, body, contentType: 'application/merge-patch+json' });
}

/** One watch: lines arrive in their order, late, until it breaks. */
class WatchStream {
  readonly #timeline: Timeline;
  readonly #faults: Faults;
  readonly #client: Actor;
  readonly #server: LinkedKubeClientOptions['server'];
  readonly #lagMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #incarnation: number;
  #arrived: string[] = [];
  #arrivesAtMs = 0;
  #isMute = false;
  #failure: unknown;
  #isOver = false;
  #wake: (() => void) | undefined;
  #stop: () => void = () => undefined;

  constructor({ timeline, faults, client, server, lagMs }: LinkedKubeClientOptions, signal: AbortSignal | undefined) {
    this.#timeline = timeline;
    this.#faults = faults;
    this.#client = client;
    this.#server = server;
    this.#lagMs = lagMs;
    this.#signal = signal;
    this.#incarnation = server.incarnation;
  }

  begin(api: FakeApiServer, path: string, version: string): void {
    this.#stop = api.watch(path, version, (line) => this.#send(line));
    this.#bookmarkLater(api);
  }

  endAfter(ms: number): void {
    const stop = this.#timeline.timer(ms, this.#client, 'watch ends', () => this.#end());
    this.#signal?.addEventListener('abort', () => {
      stop();
      this.#fail(this.#signal?.reason);
    });
  }

  async *lines(): AsyncGenerator<string, void, undefined> {
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

  #send(line: string): void {
    if (this.#isMute || this.#isOver) return;
    const site = this.#client.name;
    const late = this.#faults.strike('WatchLag', site);
    const lagMs = this.#lagMs + (late === undefined ? 0 : this.#faults.size(late, 50, 15_000));
    this.#arrivesAtMs = Math.max(this.#timeline.nowMs + lagMs, this.#arrivesAtMs + 0.001);
    this.#timeline.at(this.#arrivesAtMs, this.#client, 'watch line', () => this.#arrive(line));
  }

  #arrive(line: string): void {
    const site = this.#client.name;
    if (this.#isMute || this.#isOver || this.#failure !== undefined) return;
    if (this.#server.incarnation !== this.#incarnation || this.#faults.strike('WatchCut', site) !== undefined) {
      this.#fail(new KubeError('Unreachable', 'the watch was cut'));
    } else if (this.#faults.strike('WatchSilent', site) !== undefined) {
      this.#isMute = true;
    } else if (this.#faults.strike('WatchExpired', site) !== undefined) {
      this.#take('{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}');
    } else this.#take(line);
  }

  #bookmarkLater(api: FakeApiServer): void {
    const send = (): void => {
      if (this.#isOver || this.#failure !== undefined) return;
      this.#send(api.bookmark());
      this.#bookmarkLater(api);
    };
    this.#timeline.timer(bookmarkEveryMs, this.#server.actor, 'bookmark', send);
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
