import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { load } from 'js-yaml';
import { setTimeout as sleep } from 'node:timers/promises';

const CALL_WITHIN_MS = 60_000;

export type ApiAnswer = { readonly status: number; readonly body: unknown };

/** As much of the Kubernetes API as bringing a cluster up needs. */
export type KubeApi = {
  readonly server: string;
  /** Any status is an answer; rejects only when there is none. */
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<ApiAnswer>;
  /** Rejects, with the server's message, unless the status is below 400 or `also` allows it. */
  expect(method: string, path: string, body?: unknown, also?: readonly number[]): Promise<unknown>;
  close(): void;
};

type KubeconfigFile = {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { token?: string; 'client-certificate-data'?: string; 'client-key-data'?: string } }[];
};

/** Speaks to the one server of a kubeconfig that `writeKubeconfig` wrote. */
export function openKubeApi(kubeconfigPath: string): KubeApi {
  const file = load(readFileSync(kubeconfigPath, 'utf8')) as KubeconfigFile;
  const [cluster, user] = [file.clusters[0]?.cluster, file.users[0]?.user];
  if (cluster === undefined || user === undefined) throw new Error(`${kubeconfigPath} names no cluster or no user`);
  const bytes = (text: string | undefined): Buffer | undefined =>
    text === undefined ? undefined : Buffer.from(text, 'base64');
  const agent = new Agent({
    keepAlive: true,
    ca: bytes(cluster['certificate-authority-data']),
    cert: bytes(user['client-certificate-data']),
    key: bytes(user['client-key-data']),
  });
  const authorization = user.token === undefined ? {} : { authorization: `Bearer ${user.token}` };

  function call(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<ApiAnswer> {
    return new Promise((resolve, reject) => {
      const headers = { accept: 'application/json', 'content-type': contentType, ...authorization };
      const outgoing = request(
        new URL(path, cluster?.server),
        { agent, method, headers, timeout: CALL_WITHIN_MS },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) }),
          );
        },
      );
      outgoing.once('timeout', () =>
        outgoing.destroy(new Error(`${method} ${path}: no answer within ${CALL_WITHIN_MS} ms`)),
      );
      outgoing.once('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
  async function expect(method: string, path: string, body?: unknown, also: readonly number[] = []): Promise<unknown> {
    const answer = await call(method, path, body);
    if (answer.status < 400 || also.includes(answer.status)) return answer.body;
    throw new Error(`${method} ${path} answered ${answer.status}: ${messageOf(answer.body)}`);
  }
  return { server: cluster.server, call, expect, close: () => agent.destroy() };
}

/** Waits until `holds` is true; what it throws counts as not yet. Rejects with `what` and the last error when time is up. */
export async function until(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + withinMs;
  let last = 'it is not so yet';
  for (;;) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() >= endMs) throw new Error(`${what}: not within ${Math.round(withinMs / 1000)} s (${last})`);
    await sleep(100);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function messageOf(body: unknown): string {
  if (typeof body === 'object' && body !== null && 'message' in body) return String(body.message);
  return String(body).slice(0, 500);
}
