import { canonicalJson } from '#core/base/json-text.ts';
import { fail, ok, type Result } from '#core/base/result.ts';
import { applyObject } from '#io/kube/apply.ts';
import type { KubeClient } from '#io/kube/client.ts';
import { isKubeError } from '#io/kube/kube-error.ts';
import { keyOf, type KubeObject, nameOf } from '#io/kube/object.ts';
import type { Reflector } from '#io/kube/reflector.ts';
import { resources } from '#io/kube/resource.ts';
import { readObject } from '#io/kube/verbs.ts';
import type { PoolProblem } from '../conditions/pool-ready.ts';
import type { Deployment } from '../observed/observed-objects.ts';

/** What stands after we applied: while both stay as they are, there is nothing to apply. */
interface Applied {
  readonly text: string;
  readonly uid: string | undefined;
  readonly generation: number | undefined;
}

/**
 * No Deployment has this version. An apply that names it makes one where there is none, and is a `Conflict` where somebody
 * made one meanwhile, which may have pods that this desire knows nothing of.
 */
const ofNone = '1';

/** Applies Deployments, and only when that changes something: a new desire, or a drift that someone else made. */
export class DeploymentApplier {
  readonly #client: KubeClient;
  readonly #deployments: Reflector<Deployment>;
  readonly #applied = new Map<string, Applied>();

  constructor(client: KubeClient, deployments: Reflector<Deployment>) {
    this.#client = client;
    this.#deployments = deployments;
  }

  /** The Deployment of a pool. What our copy lacks is asked for: not to have heard of it does not mean that there is none. */
  async find(key: string): Promise<Deployment | undefined> {
    return (
      this.#deployments.get(key) ?? (await readObject<Deployment>(this.#client, resources.deployments, nameOf(key)))
    );
  }

  /**
   * `existing` is what the desire was computed from: whoever changed it since knows better, and `Conflict` is thrown.
   * `ownerUid` is the pool's: a Deployment of the same name that belongs to something else is left alone.
   */
  async apply(
    desired: KubeObject,
    { existing, ownerUid }: { existing: Deployment | undefined; ownerUid: string },
  ): Promise<Result<Deployment, PoolProblem>> {
    const key = keyOf(desired);
    const text = canonicalJson(desired);
    if (existing !== undefined && this.#stands(key, text, existing)) return ok(existing);
    if (existing !== undefined && !isOwnedBy(existing, ownerUid)) return fail(notOurs(desired));
    try {
      const applied = await applyObject<Deployment>(this.#client, resources.deployments, over(existing, desired));
      const { uid, generation } = applied.metadata;
      this.#applied.set(key, { text, uid, generation });
      this.#deployments.adopt(applied);
      return ok(applied);
    } catch (error) {
      if (isKubeError(error) && !error.retryable) return fail(refused(error.message, error.isNamespaceGoing));
      throw error;
    }
  }

  forget(key: string): void {
    this.#applied.delete(key);
  }

  #stands(key: string, text: string, { metadata }: Deployment): boolean {
    const applied = this.#applied.get(key);
    return applied?.text === text && applied.uid === metadata.uid && applied.generation === metadata.generation;
  }
}

/** The desire, to be applied over nothing but what it was computed from. */
function over(existing: Deployment | undefined, desired: KubeObject): KubeObject {
  const { resourceVersion = ofNone } = existing?.metadata ?? {};
  return { ...desired, metadata: { ...desired.metadata, resourceVersion } };
}

function isOwnedBy({ metadata }: Deployment, ownerUid: string): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === ownerUid) === true;
}

function notOurs({ metadata }: KubeObject): PoolProblem {
  const message = `a Deployment ${metadata.name} exists that is not this pool's: delete it, or give the pool another name`;
  return { reason: 'DeploymentNotOurs', message };
}

function refused(said: string, isNamespaceGoing: boolean): PoolProblem {
  if (isNamespaceGoing) return { reason: 'Deleting', message: 'the namespace is being deleted' };
  return { reason: 'DeploymentRefused', message: `the API server refuses the Deployment: ${said}` };
}
