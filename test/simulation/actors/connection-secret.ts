import { connectionSecretType } from '#core/resources/connection.ts';
import { collectionPath, objectPath, resources } from '#io/kube/resource.ts';
import type { FakeApiServer } from '../servers/fake-api-server.ts';

/** The Secret of the team's connection. */
export const secretName = { namespace: 'team', name: 'arpeggio' } as const;

/** Hosts that it names. */
export const secretHosts: readonly string[] = ['redis', 'broker'];

export function createSecret(api: FakeApiServer, isElsewhere: boolean): void {
  const text = (url: string): string => Buffer.from(url).toString('base64');
  const broker = text(`redis://${isElsewhere ? 'broker' : 'redis'}:6379/0`);
  const data = { broker, results: text('redis://redis:6379/0') };
  const body = JSON.stringify({ metadata: { name: secretName.name }, type: connectionSecretType, data });
  api.handle({ method: 'POST', path: collectionPath(resources.secrets, secretName.namespace), body });
}

/** Someone writes it anew, though it says the same. */
export function touchSecret(api: FakeApiServer, nowMs: number): void {
  const body = JSON.stringify({ metadata: { labels: { touched: `at-${Math.floor(nowMs)}` } } });
  const path = objectPath(resources.secrets, secretName);
  api.handle({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
}

export function deleteSecret(api: FakeApiServer): void {
  api.handle({ method: 'DELETE', path: objectPath(resources.secrets, secretName) });
}
