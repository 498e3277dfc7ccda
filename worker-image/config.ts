import { existsSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseConnection, type Connection } from '#core/resources/connection.ts';
import { connectionKeys } from '#core/resources/connection.ts';

/** The environment is not what the worker needs; the message names the variable and the way out. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** What the worker was told by its environment, read once. */
export interface Config {
  readonly connection: Connection;
  /** Names on the wire. */
  readonly queues: readonly string[];
  readonly concurrency: number;
  readonly pool: string;
  readonly podName: string;
  /** Names the worker across restarts of its container. */
  readonly podUid: string;
  readonly drainMs: number;
  readonly tasksPath: string;
  /** Undefined when it is not said. */
  readonly trackStarted: boolean | undefined;
  readonly logLevel: string;
  /** 0 for none. */
  readonly healthPort: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws `ConfigError`. */
export function parseConfig(env: Environment): Config {
  const podName = env['ARPEGGIO_POD_NAME'] ?? hostname();
  return {
    connection: connectionOf(env),
    queues: queuesOf(env['ARPEGGIO_QUEUES']),
    concurrency: integerOf(env, 'ARPEGGIO_CONCURRENCY', { otherwise: 1, least: 1, most: 10_000 }),
    pool: env['ARPEGGIO_POOL'] ?? 'worker',
    podName,
    podUid: (env['ARPEGGIO_POD_UID'] ?? `${podName}-${process.pid}`).replaceAll(/[.:]/g, '-'),
    drainMs: integerOf(env, 'ARPEGGIO_DRAIN_SECONDS', { otherwise: 3_600, least: 0, most: 2_000_000 }) * 1_000,
    tasksPath: env['ARPEGGIO_TASKS'] ?? '/app/tasks',
    trackStarted: booleanOf(env, 'ARPEGGIO_TRACK_STARTED'),
    logLevel: env['ARPEGGIO_LOG_LEVEL'] ?? 'info',
    healthPort: integerOf(env, 'ARPEGGIO_HEALTH_PORT', { otherwise: 8080, least: 0, most: 65_535 }),
  };
}

function queuesOf(text: string | undefined): readonly string[] {
  const queues = (text ?? '')
    .split(',')
    .map((queue) => queue.trim())
    .filter((queue) => queue !== '');
  if (queues.length === 0)
    throw new ConfigError('ARPEGGIO_QUEUES is empty; give the queues to take from, with commas between');
  return [...new Set(queues)];
}

/** From the mounted Secret; outside Kubernetes from variables. */
function connectionOf(env: Environment): Connection {
  const folder = env['ARPEGGIO_CONNECTION_DIR'];
  const data = folder === undefined ? connectionVariables(env) : connectionFiles(folder);
  const parsed = parseConnection(data);
  if (parsed.ok) return parsed.value;
  throw new ConfigError(
    `the connection (${folder ?? 'ARPEGGIO_BROKER_URL, ARPEGGIO_RESULTS_URL'}): ${parsed.error.message}`,
  );
}

function connectionVariables(env: Environment): Record<string, string | undefined> {
  const broker = env['ARPEGGIO_BROKER_URL'];
  const ca = env['ARPEGGIO_CA_FILE'];
  return {
    broker,
    results: env['ARPEGGIO_RESULTS_URL'] ?? broker,
    keyPrefix: env['ARPEGGIO_KEY_PREFIX'],
    resultKeyPrefix: env['ARPEGGIO_RESULT_KEY_PREFIX'],
    ...(ca === undefined ? {} : { 'ca.crt': readFileSync(ca, 'utf8') }),
  };
}

function connectionFiles(folder: string): Record<string, string> {
  const known = Object.keys(connectionKeys).map((key) => [key, join(folder, key)] as const);
  const there = known.filter(([, path]) => existsSync(path) && statSync(path).isFile());
  if (there.length === 0) throw new ConfigError(`ARPEGGIO_CONNECTION_DIR: there is no connection in ${folder}`);
  return Object.fromEntries(there.map(([key, path]) => [key, readFileSync(path, 'utf8')]));
}

interface Bounds {
  readonly otherwise: number;
  readonly least: number;
  readonly most: number;
}

function integerOf(env: Environment, name: string, { otherwise, least, most }: Bounds): number {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ConfigError(`${name} is ${text}; give a whole number from ${least} to ${most}`);
}

function booleanOf(env: Environment, name: string): boolean | undefined {
  const text = env[name];
  if (text === undefined) return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  throw new ConfigError(`${name} is ${text}; give true or false`);
}
