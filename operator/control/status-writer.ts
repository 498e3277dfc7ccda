import { canonicalJson } from '#core/base/json-text.ts';
import type { Timers } from '#core/base/timers.ts';
import type { KubeClient } from '#io/kube/client.ts';
import { isKubeError } from '#io/kube/kube-error.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { keyOf } from '#io/kube/object.ts';
import type { Resource } from '#io/kube/resource.ts';
import type { Reflector } from '#io/kube/reflector.ts';
import { patchStatus } from '#io/kube/status.ts';
import { processTimers } from '#io/process-timers.ts';
import type { Requeue } from './controller.ts';

/** Two operators that lead at once and see different things must not write over each other as fast as they can. */
const mostQuietOfConditionsMs = 200;

/** An object with a status. */
type WithStatus = KubeObject & { readonly status?: object };

export interface StatusWriterOptions<T extends WithStatus> {
  readonly client: KubeClient;
  readonly resource: Resource;
  readonly reflector: Reflector<T>;
  /** Numbers that moved are written at most so often; a changed condition does not wait so long. */
  readonly quietMs: number;
  /** Default: those of the process. */
  readonly timers?: Timers | undefined;
}

/**
 * Writes a status that is computed whole: only when it differs from what stands there, and not too often. Members of the
 * old status that the new one lacks are removed.
 */
export class StatusWriter<T extends WithStatus> {
  readonly #options: StatusWriterOptions<T>;
  readonly #writtenAtMs = new Map<string, number>();

  constructor(options: StatusWriterOptions<T>) {
    this.#options = options;
  }

  /** Tells when to come back if the write had to wait. Throws `KubeError`: `Conflict` when the object changed meanwhile. */
  async write(object: T, status: object): Promise<Requeue | undefined> {
    const { client, resource, reflector, quietMs, timers = processTimers } = this.#options;
    const key = keyOf(object);
    const patch = patchOf(object.status, status);
    if (patch === undefined) return undefined;
    const restMs = 'conditions' in patch ? Math.min(quietMs, mostQuietOfConditionsMs) : quietMs;
    const waitMs = (this.#writtenAtMs.get(key) ?? -Infinity) + restMs - timers.nowMs();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    try {
      reflector.adopt(await patchStatus(client, resource, object, patch));
    } catch (error) {
      // Deleted meanwhile: nobody is left to read it.
      if (!isKubeError(error, 'NotFound')) throw error;
    }
    this.#writtenAtMs.set(key, timers.nowMs());
    return undefined;
  }

  forget(key: string): void {
    this.#writtenAtMs.delete(key);
  }
}

/** The members to write: those that differ, and `null` for those that are gone. Undefined when there are none. */
function patchOf(known: object | undefined, status: object): object | undefined {
  const before = new Map<string, unknown>(Object.entries(known ?? {}));
  const changed = Object.entries(status).filter(
    ([name, value]) => value !== undefined && canonicalJson(value) !== canonicalJson(before.get(name)),
  );
  const gone = [...before.keys()].filter((name) => (status as Record<string, unknown>)[name] === undefined);
  if (changed.length + gone.length === 0) return undefined;
  return { ...Object.fromEntries(changed), ...Object.fromEntries(gone.map((name) => [name, null])) };
}
