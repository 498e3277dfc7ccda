import type { KubeClient, KubeRequest } from '#io/kube/client.ts';
import { errorOfAnswer, KubeError } from '#io/kube/kube-error.ts';
import type { Lane } from '#io/kube/lanes.ts';
import type { FaultKind } from '../kernel/faults.ts';
import { Link, type LinkOptions } from '../kernel/link.ts';
import { refusal, type ApiAnswer } from './api-answer.ts';
import type { FakeApiServer } from './fake-api-server.ts';
import { WatchStream } from './watch-stream.ts';

export interface LinkedKubeClientOptions extends Omit<LinkOptions, 'failure'> {
  readonly api: FakeApiServer;
  /** Usual time from a change until a watch tells of it. */
  readonly lagMs: number;
}

/** As `Lanes` has it. */
const leaseTimeoutMs = 3_000;

/** The product's client as its callers see it, over connections in virtual time. */
export function linkedKubeClient(options: LinkedKubeClientOptions): KubeClient {
  return new LinkedKubeClient(options) as unknown as KubeClient;
}

class LinkedKubeClient {
  readonly #options: LinkedKubeClientOptions;

  constructor(options: LinkedKubeClientOptions) {
    this.#options = options;
  }

  async call(request: KubeRequest): Promise<string> {
    const { lane = 'calls' } = request;
    const what = `${request.method} ${request.path.replace(/.*\/namespaces\//, '')}`;
    const { api } = this.#options;
    const calling = this.#within(what, lane, () => this.#disturb(request) ?? api.handle(request));
    const answer = await unlessAborted(calling, request.signal);
    if (answer.status < 300) return answer.body;
    throw errorOfAnswer(what, answer.status, answer.body, answer.retryAfter);
  }

  async *watch(request: Omit<KubeRequest, 'method' | 'lane'>): AsyncGenerator<string, void, undefined> {
    const stream = new WatchStream(this.#options, request);
    const opening = this.#link().call('watch', () => {
      const answer = this.#disturb({ ...request, method: 'GET' });
      if (answer === undefined && request.signal?.aborted !== true) stream.begin();
      return answer;
    });
    const refused = await unlessAborted(opening, request.signal);
    if (refused !== undefined) throw errorOfAnswer('watch', refused.status, refused.body, refused.retryAfter);
    yield* stream.lines();
  }

  /** A renewal that is not answered soon is given up; other calls may take what they need here. */
  async #within<T>(what: string, lane: Lane, perform: () => T): Promise<T> {
    if (lane !== 'lease') return this.#link().call(what, perform);
    const { timeline, client } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const late = (): void => reject(new KubeError('TimedOut', `${what}: no answer within ${leaseTimeoutMs} ms`));
    const stop = timeline.timer(leaseTimeoutMs, client, `${what} times out`, late);
    this.#link().call(what, perform).then(resolve, reject);
    try {
      return await promise;
    } finally {
      stop();
    }
  }

  /** Of its own for each call, as many connections are open: any call may overtake another. */
  #link(): Link {
    return new Link({ ...this.#options, failure: (why) => new KubeError('Unreachable', why) });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** What comes in the way of a request: an answer that is none, or someone else's write. */
  #disturb({ method, path, body, contentType = '' }: KubeRequest): ApiAnswer | undefined {
    const { api, faults, client, timeline } = this.#options;
    const site = client.name;
    if (faults.strike('ApiFails', site) !== undefined) return refusal(500, 'InternalError', 'etcd is away');
    const throttled = faults.strike('ApiThrottles', site);
    if (throttled !== undefined) {
      return refusal(429, 'TooManyRequests', 'too many requests', String(faults.size(throttled, 1, 8)));
    }
    if (method !== 'PATCH') return undefined;
    if (faults.strike('ApiConflict', site) !== undefined) touch(api, path, timeline.nowMs);
    return this.#refuseWrite(path, { body, contentType });
  }

  /** What rules and quotas of the cluster say against a write. */
  #refuseWrite(path: string, { body = '', contentType }: { body?: string | undefined; contentType: string }) {
    const { faults, client } = this.#options;
    const strikes = (kind: FaultKind): boolean => faults.strike(kind, client.name) !== undefined;
    if (body.includes('/status/result"') && strikes('ApiRefuses')) return refusal(422, 'Invalid', 'not this');
    const isDeployment = contentType.startsWith('application/apply-patch') && path.includes('/deployments/');
    return isDeployment && strikes('DeploymentRefused') ? refusal(403, 'Forbidden', 'exceeded quota') : undefined;
  }
}

/** Whoever aborts waits no longer, and gets the reason. */
function unlessAborted<T>(call: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return call;
  return new Promise((resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    void call.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}

/** Someone else writes a label. */
function touch(api: FakeApiServer, path: string, nowMs: number): void {
  const body = JSON.stringify({ metadata: { labels: { touched: `at-${Math.floor(nowMs)}` } } });
  const at = path.replace(/\/status$/, '');
  api.handle({ method: 'PATCH', path: at, body, contentType: 'application/merge-patch+json' });
}
