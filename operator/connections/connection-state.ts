import type { Redis } from 'ioredis';
import type { Connection } from '#core/resources/connection.ts';
import type { TaskQueueReason } from '#core/resources/reasons.ts';

/** Which connection Secret: connections never cross namespaces. */
export interface ConnectionRef {
  readonly namespace: string;
  /** The Secret's name. */
  readonly name: string;
}

/**
 * A connection in working order. Its clients never come back after a break: the state then leaves `Ready`, and a later
 * `Ready` brings an `OpenConnection` of its own.
 */
export interface OpenConnection {
  readonly ref: ConnectionRef;
  readonly settings: Connection;
  /** Of the Secret: differs when it says something else. */
  readonly version: string;
  readonly broker: Redis;
  /** The same client as `broker` when both addresses are the same. */
  readonly results: Redis;
  /** Redis' `run_id`: equal for both exactly when broker and results are one server, whatever their databases. */
  readonly brokerRunId: string;
  readonly resultsRunId: string;
}

/** Why a connection cannot be used: a reason of the condition Ready, and a sentence for a person. */
export interface ConnectionFailure {
  readonly reason: TaskQueueReason;
  readonly message: string;
}

/**
 * The life of a connection.
 *
 *   Opening ──▶ Ready ──broken, or the Secret changed──▶ Opening
 *      └──▶ Failed ──tried again by itself──▶ Ready
 *
 * `Opening` lasts seconds at most and tells nothing about right or wrong: conditions stay as they are meanwhile.
 */
export type ConnectionState =
  | { readonly state: 'Opening' }
  | { readonly state: 'Ready'; readonly connection: OpenConnection }
  | { readonly state: 'Failed'; readonly failure: ConnectionFailure };

export function connectionKeyOf({ namespace, name }: ConnectionRef): string {
  return `${namespace}/${name}`;
}
