import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthOptions {
  readonly port: number;
  /** Whether the process can do its work at all; a false answer gets it restarted. */
  readonly isHealthy: () => boolean;
  /** Whether it knows the world well enough to act or to take over. */
  readonly isReady: () => boolean;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers the kubelet: `/healthz` and `/readyz` with 200 or 503, anything else with 404. */
export async function openHealthServer(options: HealthOptions): Promise<HealthServer> {
  const checks: Readonly<Record<string, () => boolean>> = { '/healthz': options.isHealthy, '/readyz': options.isReady };
  const server = createServer((request, response) => {
    const check = checks[request.url ?? ''];
    response.statusCode = check === undefined ? 404 : check() ? 200 : 503;
    response.setHeader('content-type', 'text/plain');
    response.end(response.statusCode === 200 ? 'ok\n' : 'no\n');
  });
  await listen(server, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
