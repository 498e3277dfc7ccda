import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

/** What a connection to the API server needs for TLS. */
export interface TlsSettings {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface Credentials {
  readonly server: string;
  readonly tls: TlsSettings;
  readonly headers: Readonly<Record<string, string>>;
}

/** Tokens of service accounts are renewed well before they end; this often we look again. */
const freshMs = 10_000;

/**
 * Reads who we are from a kubeconfig and keeps it fresh: token files, exec plugins and certificates change while we run.
 * `read(true)` looks again at once, as after a 401.
 */
export class CredentialReader {
  readonly #config: KubeConfig;
  #current: Promise<Credentials> | undefined;
  #readAtMs = 0;

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  read(again = false): Promise<Credentials> {
    const nowMs = Date.now();
    if (this.#current === undefined || again || nowMs - this.#readAtMs > freshMs) {
      this.#readAtMs = nowMs;
      const reading = readCredentials(this.#config);
      reading.catch(() => {
        // The next call must look again rather than repeat this failure for ten seconds.
        if (this.#current === reading) this.#current = undefined;
      });
      this.#current = reading;
    }
    return this.#current;
  }
}

async function readCredentials(config: KubeConfig): Promise<Credentials> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('no Kubernetes cluster is configured: set KUBECONFIG or run inside a cluster');
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    tls: tlsOf(options),
    headers: { ...textHeaders(options), ...basicAuth(options), ...(await tokenFileHeader(config)) },
  };
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): TlsSettings {
  return {
    ...pem('ca', ca),
    ...pem('cert', cert),
    ...pem('key', key),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}

/** As text, so that two readings can be compared. */
function pem(name: 'ca' | 'cert' | 'key', value: unknown): Partial<Record<typeof name, string>> {
  if (typeof value === 'string') return { [name]: value };
  return Buffer.isBuffer(value) ? { [name]: value.toString('utf8') } : {};
}

function textHeaders(options: RequestOptions): Record<string, string> {
  const entries = Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function basicAuth(options: RequestOptions): Record<string, string> {
  if (typeof options.auth !== 'string') return {};
  return { authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` };
}

/** client-node remembers a token file for a minute, and not that the server refused it: so we read it ourselves. */
async function tokenFileHeader(config: KubeConfig): Promise<Record<string, string>> {
  const provider = config.getCurrentUser()?.authProvider as { config?: { tokenFile?: unknown } } | undefined;
  const file = provider?.config?.tokenFile;
  if (typeof file !== 'string') return {};
  return { authorization: `Bearer ${(await readFile(file, 'utf8')).trim()}` };
}
