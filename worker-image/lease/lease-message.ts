import type { RedisAddress } from '#core/resources/redis-address.ts';

/** What the lease thread is started with. */
export interface LeaseThreadData {
  readonly address: RedisAddress;
  readonly ca: string | undefined;
  readonly prefix: string;
  readonly incarnation: string;
  readonly pool: string;
  readonly slots: number;
  readonly queues: readonly string[];
}

export type ToLeaseThread =
  | { readonly kind: 'Took'; readonly tags: readonly string[] }
  | { readonly kind: 'Released'; readonly tags: readonly string[] }
  | { readonly kind: 'End' };

export type FromLeaseThread =
  /** The first renewal was tried: from now on what is taken is looked after. */
  | { readonly kind: 'Begun' }
  | { readonly kind: 'Gone'; readonly tags: readonly string[] }
  | { readonly kind: 'Trouble'; readonly message: string };
