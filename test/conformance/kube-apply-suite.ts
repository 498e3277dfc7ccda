import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyObject } from '#io/kube/apply.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { objectPath, resources } from '#io/kube/resource.ts';
import { deleteObject, parseObject } from '#io/kube/verbs.ts';
import { failureOf } from './kube-objects-suite.ts';
import type { KubeWorld } from './kube-world.ts';

const resource = resources.deployments;
const selector = { app: 'w' };

interface DeploymentLike extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly template: { readonly metadata: object } };
  readonly status?: { readonly collisionCount?: number };
}

/** What the operator relies on when it applies the Deployment of a pool. */
export function kubeApplySuite(name: string, open: () => Promise<KubeWorld>): void {
  describe(name, () => {
    let world: KubeWorld;
    beforeEach(async () => {
      world = await open();
    });
    afterEach(() => world.close());

    const aDeployment = (replicas: number, metadata: object = {}, template: object = {}) => ({
      metadata: { name: 'w', namespace: world.namespace, labels: selector, ...metadata },
      spec: {
        replicas,
        selector: { matchLabels: selector },
        template: {
          metadata: { labels: selector, ...template },
          spec: { containers: [{ name: 'worker', image: 'worker' }] },
        },
      },
    });
    const apply = (...given: Parameters<typeof aDeployment>): Promise<DeploymentLike> =>
      applyObject<DeploymentLike>(world.client, resource, aDeployment(...given));
    const patch = async (change: object, subresource?: string): Promise<DeploymentLike> => {
      const path = objectPath(resource, { namespace: world.namespace, name: 'w' }, subresource);
      const contentType = 'application/merge-patch+json';
      const text = await world.client.call({ method: 'PATCH', path, body: JSON.stringify(change), contentType });
      return parseObject(resource, text) as DeploymentLike;
    };

    test('makes what is not there, and changes nothing when it is told the same again', async () => {
      const made = await apply(2);
      expect(made).toMatchObject({ metadata: { generation: 1, labels: selector }, spec: { replicas: 2 } });
      // Not the version: on a real one a controller may have written the status meanwhile.
      const { metadata, spec } = await apply(2);
      expect([metadata.uid, metadata.generation, spec]).toEqual([made.metadata.uid, 1, made.spec]);
    });

    test('takes over what it states, removes what it states no longer, and leaves what others wrote', async () => {
      await apply(2, {}, { annotations: { version: '1', mine: 'yes' } });
      await patch({ metadata: { labels: { theirs: 'yes' } }, spec: { replicas: 7 } });
      const { metadata, spec } = await apply(3, {}, { annotations: { version: '2' } });
      expect(metadata.labels).toEqual({ ...selector, theirs: 'yes' });
      expect(metadata.generation).toBe(3);
      expect(spec.replicas).toBe(3);
      expect(spec.template.metadata).toMatchObject({ annotations: { version: '2' } });
      expect(spec.template.metadata).not.toHaveProperty('annotations.mine');
    });

    test('leaves the status alone, which raises no generation', async () => {
      await apply(1);
      // The one count that a real Deployment controller, which writes this status too, takes as it finds it.
      await patch({ status: { collisionCount: 3 } }, 'status');
      expect(await apply(2)).toMatchObject({ metadata: { generation: 2 }, status: { collisionCount: 3 } });
    });

    test('refuses what was computed from another version than the one that is there', async () => {
      const { resourceVersion } = (await apply(1)).metadata;
      await patch({ spec: { replicas: 5 } });
      expect(await failureOf(apply(2, { resourceVersion }))).toMatchObject({ code: 'Conflict', retryable: true });
      // On a real one a controller may write the status between the two calls.
      const ofNewest = async (): Promise<number | undefined> => {
        const newest = await patch({});
        return (await apply(2, { resourceVersion: newest.metadata.resourceVersion })).spec.replicas;
      };
      await expect.poll(() => ofNewest().catch(() => 0), { timeout: 60_000 }).toBe(2);
    });

    test('makes anew what is gone, whatever it was computed from', async () => {
      const { resourceVersion } = (await apply(1)).metadata;
      await deleteObject(world.client, resource, { namespace: world.namespace, name: 'w' });
      expect(await apply(2, { resourceVersion })).toMatchObject({ metadata: { generation: 1 }, spec: { replicas: 2 } });
    });
  });
}
