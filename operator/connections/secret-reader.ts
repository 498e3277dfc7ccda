import { fail, ok, type Result } from '#core/base/result.ts';
import { type Connection, connectionSecretType, parseConnection } from '#core/resources/connection.ts';
import type { KubeClient } from '#io/kube/client.ts';
import { isKubeError } from '#io/kube/kube-error.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { resources } from '#io/kube/resource.ts';
import { readObject } from '#io/kube/verbs.ts';
import type { ConnectionFailure, ConnectionRef } from './connection-state.ts';

interface Secret extends KubeObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

export interface ReadSettings {
  readonly settings: Connection;
  /** Changes whenever the Secret says something else, also when it was deleted and created again. */
  readonly version: string;
}

/**
 * Reads one connection Secret by its name: the operator may not list Secrets. What is wrong with it is a value; only a
 * failing API server throws.
 */
export async function readConnectionSecret(
  client: KubeClient,
  ref: ConnectionRef,
  allowedHosts: readonly string[],
): Promise<Result<ReadSettings, ConnectionFailure>> {
  const secret = await readSecret(client, ref);
  if (!secret.ok) return secret;
  const { type = 'Opaque', data = {}, metadata } = secret.value;
  if (type !== connectionSecretType) {
    const message = `Secret ${ref.name} is of type ${type}; a connection is a Secret of type ${connectionSecretType}`;
    return fail({ reason: 'ConnectionInvalid', message });
  }
  const texts = Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
  const parsed = parseConnection(texts);
  if (!parsed.ok) return fail({ reason: 'ConnectionInvalid', message: `Secret ${ref.name}: ${parsed.error.message}` });
  const allowed = parseConnection(texts, { allowedHosts });
  if (!allowed.ok) return fail({ reason: 'HostNotAllowed', message: `Secret ${ref.name}: ${allowed.error.message}` });
  return ok({ settings: allowed.value, version: `${metadata.uid ?? ''}/${metadata.resourceVersion ?? ''}` });
}

async function readSecret(client: KubeClient, ref: ConnectionRef): Promise<Result<Secret, ConnectionFailure>> {
  try {
    const secret = await readObject<Secret>(client, resources.secrets, ref);
    if (secret !== undefined) return ok(secret);
    const message = `there is no Secret ${ref.name} in this namespace: create it with type ${connectionSecretType} and the keys broker and results`;
    return fail({ reason: 'ConnectionNotFound', message });
  } catch (error) {
    if (!isKubeError(error, 'Forbidden')) throw error;
    const message = `the operator may not read Secret ${ref.name}: its role must allow get on secrets in this namespace`;
    return fail({ reason: 'NotPermitted', message });
  }
}
