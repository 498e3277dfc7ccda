import { beforeEach, expect, test } from 'vitest';
import type { KubeClient } from '#io/kube/client.ts';
import type { KubeObject } from '#io/kube/object.ts';
import type { Reflector } from '#io/kube/reflector.ts';
import { resources } from '#io/kube/resource.ts';
import { StatusWriter } from '#operator/control/status-writer.ts';

let nowMs: number;
let writes: number;

beforeEach(() => {
  nowMs = 0;
  writes = 0;
});

const queue: KubeObject & { status?: object } = { metadata: { name: 'q', namespace: 'ml', resourceVersion: '1' } };

function openWriter(): StatusWriter<KubeObject & { status?: object }> {
  const call = (): Promise<string> => {
    writes += 1;
    return Promise.resolve(JSON.stringify(queue));
  };
  return new StatusWriter({
    client: { call } as unknown as KubeClient,
    resource: resources.taskQueues,
    reflector: { adopt: () => undefined, get: () => undefined } as unknown as Reflector<typeof queue>,
    quietMs: 2_000,
    timers: { nowMs: () => nowMs, after: () => () => undefined, chance: () => 0 },
  });
}

test.each([
  { why: 'numbers wait until it was quiet', status: { waiting: 3 }, atMs: 1_999, waitMs: 1 },
  { why: 'numbers are written after that', status: { waiting: 3 }, atMs: 2_000, waitMs: undefined },
  { why: 'a condition waits a moment', status: { conditions: [{ type: 'Ready' }] }, atMs: 199, waitMs: 1 },
  { why: 'a condition waits no longer', status: { conditions: [{ type: 'Ready' }] }, atMs: 200, waitMs: undefined },
])('$why', async ({ status, atMs, waitMs }) => {
  const writer = openWriter();
  expect(await writer.write(queue, { waiting: 2 })).toBeUndefined();
  nowMs = atMs;
  const later = await writer.write(queue, status);
  expect([later?.requeueAfterMs, writes]).toEqual([waitMs, waitMs === undefined ? 2 : 1]);
});
