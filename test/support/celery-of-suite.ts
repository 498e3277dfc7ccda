import { afterAll, beforeAll } from 'vitest';
import { startCeleryWorker, type CeleryRelease, type CeleryWorker } from './celery.ts';
import { CeleryWorkflows } from './celery-workflows.ts';
import type { RedisOfFile } from './redis-of-file.ts';

/** The newest and the oldest Celery over which Workflows run, and the one between them that differs from both. */
export const celeryReleases: readonly CeleryRelease[] = ['5.7.0', '5.6.3', '5.2.7'];

/**
 * An unmodified worker of an app, and Workflows over it, for the tests of one `describe`: each release has a database of
 * its own. To be called where hooks can be; what it returns is to be called within a test or a hook.
 */
export function celeryOfSuite(redis: RedisOfFile, release: CeleryRelease, app: string): () => CeleryWorkflows {
  let worker: CeleryWorker;
  let workflows: CeleryWorkflows;
  beforeAll(async () => {
    const redisUrl = redis.url(celeryReleases.indexOf(release));
    worker = await startCeleryWorker({ release, app, redisUrl, queues: ['celery'], logLevel: 'WARNING' });
    workflows = await CeleryWorkflows.open(redisUrl, 'celery');
  });
  afterAll(async () => {
    workflows.close();
    await worker.stop();
  });
  return () => workflows;
}
