import { canonicalJson } from '#core/base/json-text.ts';
import { fail, ok, type Result } from '#core/base/result.ts';
import { applyObject } from '#io/kube/apply.ts';
import type { KubeClient } from '#io/kube/client.ts';
import { isKubeError } from '#io/kube/kube-error.ts';
import { keyOf, type KubeObject } from '#io/kube/object.ts';
import type { Reflector } from '#io/kube/reflector.ts';
import { resources } from '#io/kube/resource.ts';
import { readObject } from '#io/kube/verbs.ts';
import type { PoolProblem } from '../conditions/pool-ready.ts';
import type { Deployment } from './observed-objects.ts';

/** What stands after we applied: while both stay as they are, there is nothing to apply. */
interface Applied {
  readonly text: string;
  readonly uid: string | undefined;
  readonly generation: number | undefined;
}

/** Applies Deployments, and only when that changes something: a new desire, or a drift that someone else made. */
export class DeploymentApplier {
  readonly #client: KubeClient;
  readonly #deployments: Reflector<Deployment>;
  readonly #applied = new Map<string, Applied>();

  constructor(client: KubeClient, deployments: Reflector<Deployment>) {
    this.#client = client;
    this.#deployments = deployments;
  }

  /** `ownerUid` is the pool's: a Deployment of the same name that belongs to something else is left alone. */
  async apply(desired: KubeObject, ownerUid: string): Promise<Result<Deployment, PoolProblem>> {
    const key = keyOf(desired);
    const text = canonicalJson(desired);
    const known = this.#deployments.get(key);
    if (known !== undefined && this.#stands(key, text, known)) return ok(known);
    const existing = known ?? (await readObject<Deployment>(this.#client, resources.deployments, nameOf(desired)));
    if (existing !== undefined && !isOwnedBy(existing, ownerUid)) return fail(notOurs(desired));
    try {
      const applied = await applyObject<Deployment>(this.#client, resources.deployments, desired);
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

function nameOf({ metadata }: KubeObject): { namespace: string; name: string } {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
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
