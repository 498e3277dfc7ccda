import { kubeApplySuite } from './kube-apply-suite.ts';
import { kubeObjectsSuite } from './kube-objects-suite.ts';
import { kubeRecordsSuite } from './kube-records-suite.ts';
import { kubeWatchSuite } from './kube-watch-suite.ts';
import { reflectorSuite } from './reflector-suite.ts';
import { openSimulatedKube } from './simulated-kube-world.ts';

kubeObjectsSuite('objects of the simulated API server', openSimulatedKube);
kubeApplySuite('server-side apply on the simulated API server', openSimulatedKube);
kubeWatchSuite('watches of the simulated API server', openSimulatedKube);
kubeRecordsSuite('Leases and events of the simulated API server', openSimulatedKube);
reflectorSuite('a reflector on the simulated API server', openSimulatedKube);
