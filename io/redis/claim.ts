import type { Redis } from 'ioredis';

/** Where a namespace notes that a database and prefix are its own. It stays until someone deletes it. */
export function claimKey(prefix: string): string {
  return `${prefix}arp:claim`;
}

/** Claims this database and prefix for a namespace unless another was first. Resolves to the namespace that has it. */
export async function claimDatabase(redis: Redis, prefix: string, namespace: string): Promise<string> {
  const key = claimKey(prefix);
  if ((await redis.set(key, namespace, 'NX')) === 'OK') return namespace;
  return (await redis.get(key)) ?? namespace;
}
