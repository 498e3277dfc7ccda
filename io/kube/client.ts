import { TextDecoder } from 'node:util';
import { type Dispatcher, request as send } from 'undici';
import type { KubeConfig } from '@kubernetes/client-node';
import { CredentialReader, type Credentials } from './credentials.ts';
import { errorOfAnswer, isKubeError, KubeError } from './kube-error.ts';
import { type Lane, Lanes, sameTls } from './lanes.ts';

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** JSON text. */
  readonly body?: string;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** What the answer may be. Default `application/json`: the whole object. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
  readonly lane?: Lane;
}

/**
 * The Kubernetes API over kept-alive connections. Answers come as text: whoever asked knows whether its numbers need
 * care. Every failure is a `KubeError`.
 */
export class KubeClient {
  readonly #credentials: CredentialReader;
  #lanes: Lanes | undefined;
  #isClosed = false;

  constructor(config: KubeConfig) {
    this.#credentials = new CredentialReader(config);
  }

  /** One call; resolves to the answer's body. A 401 is tried once more with credentials read afresh. */
  async call(request: KubeRequest): Promise<string> {
    try {
      return await this.#callOnce(request, false);
    } catch (error) {
      if (!isKubeError(error, 'Unauthorized')) throw error;
      return await this.#callOnce(request, true);
    }
  }

  /** Opens a watch and yields its lines until the server ends it; throws `KubeError` when it cannot go on. */
  async *watch(request: Omit<KubeRequest, 'method' | 'lane'>): AsyncGenerator<string, void, undefined> {
    const call: KubeRequest = { ...request, method: 'GET', lane: 'watches' };
    const answer = await this.#sendFresh(call, false);
    const decoder = new TextDecoder();
    // A large object's line comes in many chunks: they are joined once, when it is whole.
    let parts: string[] = [];
    try {
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        const [end = '', ...lines] = decoder.decode(chunk, { stream: true }).split('\n');
        parts.push(end);
        const rest = lines.pop();
        if (rest === undefined) continue;
        yield parts.join('');
        yield* lines;
        parts = [rest];
      }
    } catch (error) {
      throw asKubeError(call, error);
    }
  }

  /** Ends every watch and call. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#lanes?.destroy();
  }

  async #callOnce(request: KubeRequest, again: boolean): Promise<string> {
    const answer = await this.#sendFresh(request, again);
    try {
      return await answer.body.text();
    } catch (error) {
      throw asKubeError(request, error);
    }
  }

  /** Resolves once the server has answered well; the body is still to be read. */
  async #sendFresh(request: KubeRequest, again: boolean): Promise<Dispatcher.ResponseData> {
    let answer: Dispatcher.ResponseData;
    try {
      const credentials = await this.#credentials.read(again);
      answer = await this.#send(request, credentials);
    } catch (error) {
      throw asKubeError(request, error);
    }
    if (answer.statusCode < 300) return answer;
    const body = await answer.body.text().catch(() => '');
    const retryAfter = answer.headers['retry-after'];
    throw errorOfAnswer(
      describe(request),
      answer.statusCode,
      body,
      Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
    );
  }

  #send(request: KubeRequest, { server, tls, headers }: Credentials): Promise<Dispatcher.ResponseData> {
    const { method, path, query, body, signal } = request;
    return send(`${server}${path}${queryText(query)}`, {
      method,
      dispatcher: this.#lanesFor(tls).agent(request.lane ?? 'calls'),
      headers: {
        accept: request.accept ?? 'application/json',
        'user-agent': 'arpeggio-operator',
        ...headers,
        ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #lanesFor(tls: Credentials['tls']): Lanes {
    if (this.#isClosed) throw new Error('the client is closed');
    if (this.#lanes !== undefined && sameTls(this.#lanes.tls, tls)) return this.#lanes;
    const replaced = this.#lanes;
    this.#lanes = new Lanes(tls);
    // Watches of the replaced lanes end by themselves within minutes; nothing waits for them.
    void replaced?.close().catch(() => undefined);
    return this.#lanes;
  }
}

function queryText(query: KubeRequest['query'] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

function describe({ method, path }: KubeRequest): string {
  return `${method} ${path}`;
}

const timeoutCodes = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
]);

function asKubeError(request: KubeRequest, error: unknown): unknown {
  // Whoever aborted knows why; the reason passes through unchanged.
  if (error instanceof KubeError || request.signal?.aborted === true) return error;
  const code = (error as { code?: unknown } | undefined)?.code;
  const kind = typeof code === 'string' && timeoutCodes.has(code) ? 'TimedOut' : 'Unreachable';
  const said = error instanceof Error ? error.message : String(error);
  return new KubeError(kind, `${describe(request)}: the API server did not answer: ${said}`, { cause: error });
}
