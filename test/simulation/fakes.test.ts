import { FakeResults } from './servers/fake-results.ts';
import { resultStoreSuite } from '../conformance/result-store-suite.ts';

// The stores of runs and messages are the product's own in memory; this one is the simulation's, and held to the same suite.
resultStoreSuite('the result store of the simulation', () => Promise.resolve(new FakeResults()));
