import { afterAll, beforeAll } from 'vitest';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { installChart } from '../support/chart.ts';
import { kubeApplySuite } from './kube-apply-suite.ts';
import { kubeObjectsSuite } from './kube-objects-suite.ts';
import { kubeRecordsSuite } from './kube-records-suite.ts';
import type { KubeWorld } from './kube-world.ts';
import { kubeWatchSuite } from './kube-watch-suite.ts';
import { openRealKube } from './real-kube-world.ts';
import { reflectorSuite } from './reflector-suite.ts';

let cluster: ApiCluster;
beforeAll(async () => {
  cluster = await startApiCluster({ nodes: [] });
  await installChart(cluster);
});
afterAll(() => cluster.stop());

const open = (): Promise<KubeWorld> => openRealKube(cluster);

kubeObjectsSuite('objects of a real API server', open);
kubeApplySuite('server-side apply on a real API server', open);
kubeWatchSuite('watches of a real API server', open);
kubeRecordsSuite('Leases and events of a real API server', open);
reflectorSuite('a reflector on a real API server', open);
