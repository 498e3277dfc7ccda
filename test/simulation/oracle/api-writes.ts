import { stringifyJson } from '#core/base/json-text.ts';
import type { StoredObject } from '../servers/object-rules.ts';

/** What operators wrote about one Workflow. */
export interface WritesOf {
  /** When it was created, in virtual time. */
  readonly createdAtMs: number;
  statuses: number;
  events: number;
  /** Changes of its spec, the creation not counted. */
  wishes: number;
  /** When its status last said that it has ended. */
  endedAtMs: number | undefined;
}

/** Counts writes at the API server, by the UID of the Workflow that they are about. */
export class ApiWrites {
  readonly #byUid = new Map<string, WritesOf>();

  of(uid: string): WritesOf | undefined {
    return this.#byUid.get(uid);
  }

  /** Told of every change at the API server. */
  changed(object: StoredObject, before: StoredObject | undefined, nowMs: number): void {
    if (object.kind === 'Event') {
      const { uid = '' } = (object as unknown as { readonly regarding: { readonly uid?: string } }).regarding;
      const writes = this.#byUid.get(uid);
      if (writes !== undefined) writes.events += 1;
    }
    if (object.kind === 'Workflow') this.#workflow(object, before, nowMs);
  }

  #workflow(object: StoredObject, before: StoredObject | undefined, nowMs: number): void {
    const { uid = '', generation } = object.metadata;
    const known = this.#byUid.get(uid);
    if (known === undefined || before === undefined) {
      this.#byUid.set(uid, { createdAtMs: nowMs, statuses: 0, events: 0, wishes: 0, endedAtMs: undefined });
      return;
    }
    if (generation !== before.metadata.generation) known.wishes += 1;
    if (stringifyJson(object.status ?? null) === stringifyJson(before.status ?? null)) return;
    known.statuses += 1;
    const { finishedAt } = object.status as { readonly finishedAt?: string };
    known.endedAtMs = finishedAt === undefined ? undefined : (known.endedAtMs ?? nowMs);
  }
}
