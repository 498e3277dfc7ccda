import { Redis } from 'ioredis';
import { expect, test, vi } from 'vitest';
import { GonePods, type GonePodsOptions } from '#operator/depths/gone-pods.ts';
import type { Change } from '#io/kube/object-store.ts';
import type { Pod } from '#operator/observed/observed-objects.ts';

test('however many pods are gone, what is asked about them leaves nothing behind on the client', async () => {
  const broker = new Redis({ port: 1, lazyConnect: true, enableOfflineQueue: false }).on('error', () => undefined);
  const connection = { ref: { namespace: 'ml', name: 'arpeggio' }, broker, settings: { keyPrefix: '' } };
  const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  let hear: (change: Change<Pod>) => void = () => undefined;
  const gone = new GonePods({
    connections: { listReady: () => [connection] },
    depths: { subscribe: () => () => undefined },
    pods: { subscribe: (listener: typeof hear) => ((hear = listener), () => undefined) },
    log,
  } as unknown as GonePodsOptions);
  const before = broker.listenerCount('ready');
  for (let n = 0; n < 20; n += 1) {
    hear({ key: `ml/p${n}`, previous: { metadata: { name: `p${n}`, namespace: 'ml', uid: `p${n}` } } });
  }
  await vi.waitFor(() => expect(log.warn).toHaveBeenCalledTimes(20));
  expect(broker.listenerCount('ready')).toBeLessThanOrEqual(before + 1);
  gone.close();
  broker.disconnect();
});
