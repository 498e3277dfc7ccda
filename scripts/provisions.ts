import { controlPlaneBinary } from '../test/cluster/binary.ts';
import { provideCelery } from '../test/support/celery.ts';
import { dockerAnswers } from '../test/support/docker-engine.ts';
import { provideRedisImage } from '../test/support/redis-container.ts';
import { durationText } from './command.ts';
import type { SuiteName } from './suites.ts';

type Provision = {
  readonly what: string;
  readonly neededBy: readonly SuiteName[];
  readonly provide: () => Promise<unknown>;
};

const provisions: readonly Provision[] = [
  {
    what: "the cluster's binary",
    neededBy: ['conformance', 'integration', 'cluster'],
    provide: controlPlaneBinary,
  },
  {
    what: "Redis's image in the Docker engine",
    neededBy: ['conformance', 'integration'],
    provide: async () => (await dockerAnswers()) && provideRedisImage(),
  },
  { what: "Celery's releases", neededBy: ['integration'], provide: provideCelery },
];

/**
 * Makes what the first test to need it would make: builds and downloads of minutes, which no test's time limit is meant
 * for. Where one cannot be made, the tests that need it say so.
 */
export async function makeProvisions(suites: readonly SuiteName[]): Promise<void> {
  for (const { what, neededBy, provide } of provisions) {
    if (!neededBy.some((name) => suites.includes(name))) continue;
    const started = performance.now();
    try {
      await provide();
      console.log(`ready after ${durationText(performance.now() - started)}: ${what}`);
    } catch (error) {
      console.error(`cannot make ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
