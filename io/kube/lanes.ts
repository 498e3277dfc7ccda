import { Agent } from 'undici';
import type { TlsSettings } from './credentials.ts';

/**
 * Connections are kept apart by what may not wait for what: watches stay open for minutes, calls may queue by the
 * thousand, and a lease must be renewed within the second whatever the others do.
 */
export type Lane = 'calls' | 'watches' | 'lease';

/** So many calls at once; further ones queue. The API server gives one client a fair share of about this size. */
const callConnections = 32;

/** The kept-alive connections of one client, opened when first needed and with one TLS handshake each. */
export class Lanes {
  readonly tls: TlsSettings;
  readonly #agents: Readonly<Record<Lane, Agent>>;

  constructor(tls: TlsSettings) {
    this.tls = tls;
    const connect = { ...tls, timeout: 5_000, keepAlive: true, keepAliveInitialDelay: 15_000 };
    // HTTP/1.1: one slow or stuck stream then never holds up the others, as it may on a shared HTTP/2 connection.
    const kept = { connect, allowH2: false, keepAliveTimeout: 45_000 };
    this.#agents = {
      calls: new Agent({ ...kept, connections: callConnections, headersTimeout: 30_000, bodyTimeout: 30_000 }),
      watches: new Agent({ ...kept, headersTimeout: 30_000, bodyTimeout: 0 }),
      lease: new Agent({ ...kept, connections: 2, headersTimeout: 3_000, bodyTimeout: 3_000 }),
    };
  }

  agent(lane: Lane): Agent {
    return this.#agents[lane];
  }

  /** Lets running calls end and closes the rest; `destroy` also cuts the running ones. */
  async close(): Promise<void> {
    await Promise.all(Object.values(this.#agents).map((agent) => agent.close()));
  }

  async destroy(): Promise<void> {
    await Promise.all(Object.values(this.#agents).map((agent) => agent.destroy()));
  }
}

export function sameTls(one: TlsSettings, other: TlsSettings): boolean {
  return (['ca', 'cert', 'key', 'servername', 'rejectUnauthorized'] as const).every((key) => one[key] === other[key]);
}
