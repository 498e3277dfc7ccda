import { randomUUID } from 'node:crypto';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeClient } from '#io/kube/client.ts';
import { processTimers } from '#io/process-timers.ts';
import type { ApiCluster } from '../cluster/api-level.ts';
import { until } from '../cluster/kube-api.ts';
import { openFaultyApi } from '../support/faulty-api.ts';
import type { KubeWorld } from './kube-world.ts';

/** Times are exact where time is simulated. A real machine may have so much else to do that only the end of waiting counts. */
const MOST_MS = 60_000;

/** A real API server with our chart in it, behind a network that fails when a test says so. */
export async function openRealKube(cluster: ApiCluster): Promise<KubeWorld> {
  const namespace = `kube-${randomUUID().slice(0, 8)}`;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await cluster.api.expect('POST', '/api/v1/namespaces', body);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(cluster.kubeconfigPath);
  const client = new KubeClient(kubeConfig);
  const api = await openFaultyApi(cluster.kubeconfigPath);
  const disturbed = new KubeClient(api.kubeConfig);
  const isWatch = (url: string): boolean => url.includes('watch=true');
  return {
    namespace,
    client,
    disturbed,
    timers: processTimers,
    settled: (promise) => promise,
    until: (what, withinMs, holds) => until(what, Math.max(withinMs, MOST_MS), () => Promise.resolve(holds())),
    network: {
      lists: () => api.asked.filter((url) => !isWatch(url) && url.includes('limit=500')).length,
      watches: () => api.asked.filter(isWatch).length,
      failing: (isFailing) => api.fail(isFailing ? () => failed : undefined),
      throttleNextWatch: (seconds) => {
        let isNext = true;
        api.fail((url) => {
          if (!isNext || !isWatch(url)) return undefined;
          isNext = false;
          return { ...throttled, headers: { 'retry-after': String(seconds) } };
        });
      },
      cut: () => api.cut(),
      mute: () => api.mute(),
      // The server keeps its past for minutes, but none from before it began.
      forgetPast: () => {
        api.rewriteNextWatch((url) => url.replace(/resourceVersion=\d+/, 'resourceVersion=1'));
      },
    },
    close: async () => {
      await Promise.all([client.close(), disturbed.close()]);
      await api.stop();
    },
  };
}

const failed = { status: 500, body: '{"kind":"Status","code":500,"reason":"InternalError"}' };
const throttled = { status: 429, body: '{"kind":"Status","code":429,"reason":"TooManyRequests"}' };
