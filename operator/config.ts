import { defaultPayloadLimits, type PayloadLimits } from '#core/base/payload-limits.ts';

/** What the operator is told by its environment; `parseConfig` is the only reader. */
export interface Config {
  /** The namespace the operator runs in; its Lease lives there. */
  readonly namespace: string;
  readonly podName: string;
  readonly leaseName: string;
  /** Empty: all. */
  readonly watchNamespaces: readonly string[];
  /** Patterns of hosts that connection Secrets may name. */
  readonly allowedHosts: readonly string[];
  /** Groups of namespaces that may use one database and prefix together. */
  readonly sharedConnections: readonly (readonly string[])[];
  /** Whether small final results may be shown in the status of Workflows. */
  readonly showResults: boolean;
  /** What results and lists of them may weigh, in the Workflows of all namespaces. */
  readonly payloadLimits: PayloadLimits;
  /** The image of worker pools that name none. */
  readonly workerImage: string;
  readonly healthPort: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/** A variable of the environment cannot be understood; the message names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the whole configuration. Throws `ConfigError` for the first variable that is wrong. */
export function parseConfig(env: Environment): Config {
  return {
    namespace: parseName(env, 'ARPEGGIO_NAMESPACE', undefined),
    podName: parseName(env, 'ARPEGGIO_POD_NAME', undefined),
    leaseName: parseName(env, 'ARPEGGIO_LEASE_NAME', 'arpeggio-operator'),
    watchNamespaces: parseNames(env, 'ARPEGGIO_WATCH_NAMESPACES'),
    allowedHosts: parseList(env['ARPEGGIO_ALLOWED_HOSTS'] ?? '*', ','),
    sharedConnections: parseGroups(env),
    showResults: parseBoolean(env, 'ARPEGGIO_SHOW_RESULTS', true),
    payloadLimits: parsePayloadLimits(env),
    workerImage: parseImage(env, 'ARPEGGIO_WORKER_IMAGE'),
    healthPort: parsePort(env, 'ARPEGGIO_HEALTH_PORT', 8081),
    logLevel: parseLogLevel(env, 'ARPEGGIO_LOG_LEVEL'),
  };
}

const objectName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

function parseName(env: Environment, name: string, fallback: string | undefined): string {
  const value = env[name] ?? fallback;
  if (value === undefined) throw new ConfigError(`${name} is not set; the Helm chart sets it`);
  if (!objectName.test(value)) throw new ConfigError(`${name} is "${value}", which is no name of a Kubernetes object`);
  return value;
}

function parseImage(env: Environment, name: string): string {
  const value = env[name] ?? '';
  if (/^\S+$/.test(value)) return value;
  throw new ConfigError(value === '' ? `${name} is not set; the Helm chart sets it` : `${name} holds a blank`);
}

function parseNames(env: Environment, name: string): readonly string[] {
  const names = parseList(env[name] ?? '', ',');
  const wrong = names.find((each) => !objectName.test(each));
  if (wrong !== undefined) throw new ConfigError(`${name} holds "${wrong}", which is no name of a namespace`);
  return names;
}

function parseGroups(env: Environment): readonly (readonly string[])[] {
  const name = 'ARPEGGIO_SHARED_CONNECTIONS';
  return parseList(env[name] ?? '', ';').map((group) => {
    const namespaces = parseNames({ [name]: group }, name);
    if (namespaces.length > 1) return namespaces;
    throw new ConfigError(`${name} holds the group "${group}"; a group names two namespaces or more, as in a,b;c,d`);
  });
}

function parseList(text: string, separator: string): readonly string[] {
  return text
    .split(separator)
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function parseBoolean(env: Environment, name: string, fallback: boolean): boolean {
  const value = env[name];
  if (value === undefined) return fallback;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new ConfigError(`${name} is "${value}"; it is true or false`);
}

function parsePort(env: Environment, name: string, fallback: number): number {
  const value = Number(env[name] ?? fallback);
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new ConfigError(`${name} is "${String(env[name])}"; it is a port number, 0 for any free one`);
}

const kib = 1024;
const mib = 1024 * kib;

function parsePayloadLimits(env: Environment): PayloadLimits {
  const { resultBytes, listBytes } = defaultPayloadLimits;
  const result = parseBytes(env, 'ARPEGGIO_MAX_RESULT_BYTES', { fallback: resultBytes, mostMib: 64 });
  const list = parseBytes(env, 'ARPEGGIO_MAX_LIST_BYTES', { fallback: listBytes, mostMib: 256 });
  if (list >= result) return { resultBytes: result, listBytes: list };
  const least = `ARPEGGIO_MAX_RESULT_BYTES, ${result}`;
  throw new ConfigError(
    `ARPEGGIO_MAX_LIST_BYTES is ${list}; a list holds at least one result: set it to ${least}, or more`,
  );
}

function parseBytes(
  env: Environment,
  name: string,
  { fallback, mostMib }: { readonly fallback: number; readonly mostMib: number },
): number {
  const text = env[name] ?? String(fallback);
  const bytes = /^\d+$/.test(text) ? Number(text) : NaN;
  if (bytes >= kib && bytes <= mostMib * mib) return bytes;
  const range = `${kib} (1 KiB) to ${mostMib * mib} (${mostMib} MiB)`;
  throw new ConfigError(`${name} is "${text}"; it is a whole number of bytes, ${range}`);
}

function parseLogLevel(env: Environment, name: string): Config['logLevel'] {
  const value = env[name] ?? 'info';
  if (value === 'debug' || value === 'info' || value === 'warn' || value === 'error') return value;
  throw new ConfigError(`${name} is "${value}"; it is debug, info, warn or error`);
}
