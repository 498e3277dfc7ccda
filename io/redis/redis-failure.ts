import type { RedisAddress } from '#core/resources/redis-address.ts';

/** What is wrong with a Redis, in the words of conditions. */
export interface RedisFailure {
  readonly reason: 'Unreachable' | 'AuthenticationFailed' | 'NotPermitted' | 'UnsupportedServer' | 'WritesRefused';
  /** For a person, with the way out; names the server, never an account's secret. */
  readonly message: string;
}

/** A server answered, and is none that can be used. */
export class UnsupportedServerError extends Error {
  override readonly name = 'UnsupportedServerError';
}

interface Row {
  readonly fits: RegExp;
  readonly reason: RedisFailure['reason'];
  readonly says: (address: RedisAddress, said: string) => string;
}

/** The first row that fits the error's code and message is what a person reads. */
const rows: readonly Row[] = [
  {
    fits: /WRONGPASS|NOAUTH|invalid (username-)?password|AUTH .*called without any password/,
    reason: 'AuthenticationFailed',
    says: (address) => `${at(address)} refuses the user name or the password: correct them in the connection Secret`,
  },
  {
    fits: /NOPERM/,
    reason: 'NotPermitted',
    says: (address, said) => `${at(address)} does not let this account do what is needed: ${said}`,
  },
  {
    fits: /ECONNREFUSED/,
    reason: 'Unreachable',
    says: (address) => `${at(address)} refuses connections: is the server running, and is the port right?`,
  },
  {
    fits: /ENOTFOUND|EAI_AGAIN/,
    reason: 'Unreachable',
    says: ({ host }) => `the host name ${host} is not known: check its spelling, and that the Service exists`,
  },
  {
    fits: /CERT|SELF_SIGNED|certificate|ALTNAME/,
    reason: 'Unreachable',
    says: (address, said) =>
      `the certificate of ${at(address)} is not trusted (${said}): put its authority into the key ca.crt`,
  },
  {
    fits: /EPROTO|wrong version number|ERR_SSL/,
    reason: 'Unreachable',
    says: (address) => `${at(address)} does not speak TLS: write redis:// or another port`,
  },
  {
    fits: /ETIMEDOUT|timed out|EHOSTUNREACH|ENETUNREACH/,
    reason: 'Unreachable',
    says: (address) =>
      `${at(address)} does not answer${address.tls ? ', or does not speak TLS' : ''}: check host and port, and the network policies between`,
  },
  {
    fits: /DB index is out of range/,
    reason: 'UnsupportedServer',
    says: (address) =>
      `${at(address)} has no database ${String(address.db)}: choose a lower number, or raise databases there`,
  },
  {
    fits: /Unknown RESP type|Protocol error/,
    reason: 'UnsupportedServer',
    says: (address) => `${at(address)} does not speak the Redis protocol: is another program listening there?`,
  },
  {
    fits: /READONLY|MISCONF|OOM|NOREPLICAS/,
    reason: 'WritesRefused',
    says: (address, said) => `${at(address)} refuses to write: ${said}`,
  },
  { fits: /LOADING/, reason: 'Unreachable', says: (address) => `${at(address)} is still loading its data` },
];

/** What a failed connection or command means. */
export function describeRedisFailure(address: RedisAddress, error: unknown): RedisFailure {
  const said = messageOf(error);
  if (error instanceof UnsupportedServerError)
    return { reason: 'UnsupportedServer', message: `${at(address)} ${said}` };
  const code = (error as { code?: unknown } | undefined)?.code;
  const text = `${typeof code === 'string' ? code : ''} ${said}`;
  const row = rows.find(({ fits }) => fits.test(text));
  if (row !== undefined) return { reason: row.reason, message: row.says(address, said) };
  return { reason: 'Unreachable', message: `${at(address)} cannot be used: ${said}` };
}

function messageOf(error: unknown): string {
  // Node joins the attempts at several addresses of one name into an error without a message of its own.
  if (error instanceof AggregateError) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

function at({ host, port }: RedisAddress): string {
  return `the Redis at ${host}:${String(port)}`;
}
