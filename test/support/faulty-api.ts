import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { load } from 'js-yaml';

export type FaultyApi = {
  /** Speaks to the real API server through this one. */
  readonly kubeConfig: KubeConfig;
  /** Paths with their queries, as they were asked for since the last `forget`. */
  readonly asked: readonly string[];
  forget(): void;
  /** Answers requests itself instead of passing them on, while `answer` gives something. */
  fail(answer: ((url: string) => FaultyAnswer | undefined) | undefined): void;
  /** The next watch is passed on under another URL. */
  rewriteNextWatch(rewrite: (url: string) => string): void;
  /** How many connections were ever opened. */
  connections(): number;
  /** Cuts every open connection, watches with them. */
  cut(): void;
  /** Keeps open what is open, and lets nothing more through there, as a network that died does. */
  mute(): void;
  stop(): Promise<void>;
};

export type FaultyAnswer = {
  readonly status: number;
  readonly body: string;
  readonly headers?: Record<string, string>;
};

type Kubeconfig = {
  clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
  users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }];
};

/** A real API server behind a network that fails when a test says so. */
export async function openFaultyApi(kubeconfigPath: string): Promise<FaultyApi> {
  const file = load(readFileSync(kubeconfigPath, 'utf8')) as Kubeconfig;
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
  const [{ cluster }] = file.clusters;
  const [{ user }] = file.users;
  const tls = {
    ca: bytes(cluster['certificate-authority-data']),
    cert: bytes(user['client-certificate-data']),
    key: bytes(user['client-key-data']),
  };
  const asked: string[] = [];
  let rewriting: ((url: string) => string) | undefined;
  let failure: ((url: string) => FaultyAnswer | undefined) | undefined;
  let muted = 0;

  function serve(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const url = incoming.url ?? '';
    asked.push(url);
    const opened = muted;
    const answer = failure?.(url);
    if (answer !== undefined) {
      outgoing.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body);
      return;
    }
    const { method, headers } = incoming;
    const upstream = request(
      new URL(rewritten(url), cluster.server),
      { ...tls, ...(method && { method }), headers },
      (response) => {
        outgoing.writeHead(response.statusCode ?? 500, response.headers);
        response.on('data', (chunk: Buffer) => {
          if (muted === opened) outgoing.write(chunk);
        });
        response.on('end', () => {
          if (muted === opened) outgoing.end();
        });
        response.on('error', () => outgoing.destroy());
      },
    );
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  }

  function rewritten(url: string): string {
    const rewrite = rewriting;
    if (rewrite === undefined || !url.includes('watch=true')) return url;
    rewriting = undefined;
    return rewrite(url);
  }

  let connections = 0;
  const server: Server = createServer(serve);
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const kubeConfig = new KubeConfig();
  const address = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  kubeConfig.loadFromClusterAndUser({ name: 'faulty', server: address, skipTLSVerify: true }, { name: 'nobody' });
  return {
    kubeConfig,
    asked,
    forget: () => void asked.splice(0),
    fail: (answer) => void (failure = answer),
    rewriteNextWatch: (rewrite) => void (rewriting = rewrite),
    connections: () => connections,
    cut: () => server.closeAllConnections(),
    mute: () => void (muted += 1),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
