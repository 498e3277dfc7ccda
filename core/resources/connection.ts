import { fail, ok, type Result } from '#core/base/result.ts';
import { isAllowedHost } from './allowed-hosts.ts';
import { parseRedisAddress, type RedisAddress } from './redis-address.ts';

/** The type of Secret that describes a connection; the operator reads no other. */
export const connectionSecretType = 'arpeggio.dev/connection';

/** The keys of such a Secret, with what users are told about them. */
export const connectionKeys = {
  broker: 'URL of the broker that holds the queues: redis:// or rediss://.',
  results: 'URL of the Redis that holds results and running workflows; may be the same as broker.',
  operatorBroker:
    'Optional URL of the broker for the operator alone, with a stronger account than that of the workers.',
  operatorResults: 'Optional URL of the result store for the operator alone.',
  keyPrefix: "Optional prefix of every key in the broker: Celery's broker_transport_options global_keyprefix.",
  resultKeyPrefix:
    "Optional prefix of every key in the result store: Celery's result_backend_transport_options global_keyprefix.",
  'ca.crt': 'Optional certificate authority (PEM) that signed the certificates of the servers.',
} as const;

/** What a connection Secret says. Holds passwords: never log it, never put it into a message. */
export interface Connection {
  /** The broker as workers reach it. */
  readonly broker: RedisAddress;
  /** The result store as workers reach it. */
  readonly results: RedisAddress;
  /** The broker as the operator reaches it: `broker` unless the Secret names a stronger account. */
  readonly operatorBroker: RedisAddress;
  readonly operatorResults: RedisAddress;
  /** Empty when there is none. */
  readonly keyPrefix: string;
  readonly resultKeyPrefix: string;
  /** PEM; the public authorities hold when absent. */
  readonly ca?: string;
}

/** Which key is wrong, and one sentence for a person that never repeats the value. */
export interface ConnectionError {
  readonly key: string;
  readonly message: string;
}

export interface ConnectionRules {
  /** Patterns as `isAllowedHost` takes them; absent allows every host, as a worker does for the Secret mounted to it. */
  readonly allowedHosts?: readonly string[];
}

/** Reads the decoded data of a connection Secret (texts, not base64). Unknown keys are refused: a typo must not pass. */
export function parseConnection(
  data: Readonly<Record<string, string | undefined>>,
  rules: ConnectionRules = {},
): Result<Connection, ConnectionError> {
  const unknown = Object.keys(data).find((key) => !Object.hasOwn(connectionKeys, key));
  if (unknown !== undefined) {
    return refuse(unknown, `is not a key of a connection; known are ${Object.keys(connectionKeys).join(', ')}`);
  }
  const addresses = parseAddresses(data, rules);
  if (!addresses.ok) return addresses;
  const { broker, results, operatorBroker, operatorResults } = addresses.value;
  if (broker === undefined)
    return refuse('broker', 'is missing; give the URL of the broker, such as redis://host:6379/0');
  if (results === undefined)
    return refuse('results', 'is missing; repeat the URL of broker if results go to the same Redis');
  return parseRest(data, {
    broker,
    results,
    operatorBroker: operatorBroker ?? broker,
    operatorResults: operatorResults ?? results,
  });
}

type AddressKey = 'broker' | 'results' | 'operatorBroker' | 'operatorResults';
const addressKeys: readonly AddressKey[] = ['broker', 'results', 'operatorBroker', 'operatorResults'];

function parseAddresses(
  data: Readonly<Record<string, string | undefined>>,
  { allowedHosts }: ConnectionRules,
): Result<Partial<Record<AddressKey, RedisAddress>>, ConnectionError> {
  const found: Partial<Record<AddressKey, RedisAddress>> = {};
  for (const key of addressKeys) {
    const text = data[key];
    if (text === undefined) continue;
    const address = parseRedisAddress(text);
    if (!address.ok) return refuse(key, address.error);
    if (allowedHosts !== undefined && !isAllowedHost(address.value, allowedHosts)) {
      return refuse(
        key,
        `names the host ${address.value.host}, which this operator may not reach; an administrator may add it to connections.allowedHosts of the Helm chart`,
      );
    }
    found[key] = address.value;
  }
  return ok(found);
}

function parseRest(
  data: Readonly<Record<string, string | undefined>>,
  addresses: Record<AddressKey, RedisAddress>,
): Result<Connection, ConnectionError> {
  const { keyPrefix = '', resultKeyPrefix = '', 'ca.crt': ca } = data;
  for (const [key, prefix] of Object.entries({ keyPrefix, resultKeyPrefix })) {
    // Blanks are most often a line feed that `echo` left behind; the others mean something in Redis patterns.
    if (!/^[^\s*?[\]\\^\p{Cc}]{0,128}$/u.test(prefix)) {
      return refuse(
        key,
        'has a blank, a line feed, one of * ? [ ] ^ \\, or more than 128 characters; use letters, digits and : _ . -',
      );
    }
  }
  if (ca === undefined) return ok({ ...addresses, keyPrefix, resultKeyPrefix });
  if (!ca.includes('-----BEGIN CERTIFICATE-----'))
    return refuse('ca.crt', 'is no certificate in PEM; it begins with -----BEGIN CERTIFICATE-----');
  return ok({ ...addresses, keyPrefix, resultKeyPrefix, ca });
}

function refuse(key: string, message: string): { readonly ok: false; readonly error: ConnectionError } {
  return fail({ key, message: `key ${key} ${message}` });
}
