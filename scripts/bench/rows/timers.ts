import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import { collectionPath, resources } from '#io/kube/resource.ts';
import { until } from '../../../test/cluster/kube-api.ts';
import type { Bench } from '../bench.ts';
import { cpuSeconds, residentMb } from '../process-usage.ts';
import type { Row, Values } from '../row.ts';

const pending = 100_000;
/** Celery's are published one by one, which would take minutes. */
const theirPending = 10_000;
const firing = 500;
const BETWEEN_MS = 10;
const FIRST_AFTER_MS = 3000;
const QUIET_MS = 10_000;
const SETTLED_WITHIN_MS = 60_000;

/** Many tasks that are due in an hour, and some that become due while those wait. */
export const timersRow: Row = {
  id: 'timers',
  figures: () => [
    {
      key: 'cpu',
      what: '100,000 timers pending: operator, share of one core',
      unit: '%',
      better: 'Lower',
      target: 1,
      note: `over ${QUIET_MS / 1000} seconds in which none is due; Celery keeps them in its worker: ${theirPending.toLocaleString('en-US')} were given to it and its memory is multiplied in proportion`,
    },
    {
      key: 'memory',
      what: '100,000 timers pending: memory beyond that without',
      unit: 'MB',
      better: 'Lower',
      target: 30,
    },
    {
      key: 'late99',
      what: 'task begins after its eta, p99, while they are pending',
      unit: 'ms',
      better: 'Lower',
      target: 100,
      note: `${firing} tasks, one due every ${BETWEEN_MS} ms`,
    },
  ],
  ours: async (bench) => {
    const { operatorPid, feed } = bench;
    await feed.run('timers-warm', { map: { task: 'noop', range: 1000, countdown: '1s' } });
    await sleep(QUIET_MS);
    const emptyMb = residentMb(operatorPid);
    await feed.create('timers', { map: { task: 'noop', range: pending, countdown: '1h' } });
    await untilProgress(bench, 'timers', `0/${pending}`);
    // Until its status has said when the first is due.
    await sleep(QUIET_MS);
    const before = cpuSeconds(operatorPid);
    await sleep(QUIET_MS);
    const cpu = ((cpuSeconds(operatorPid) - before) / (QUIET_MS / 1000)) * 100;
    // Node gives back what it does not need any more when it has had nothing to do for some seconds.
    const memory = residentMb(operatorPid) - emptyMb;
    const { late99 } = await lateness(bench);
    await bench.api.expect('DELETE', pathOf(bench, 'timers'));
    return { cpu, memory, late99: late99 ?? Number.NaN };
  },
  peer: async (peer) => {
    const emptyMb = residentMb(peer.workerPid);
    await peer.drive('countdowns', theirPending, 3600);
    await sleep(FIRST_AFTER_MS);
    const memory = ((residentMb(peer.workerPid) - emptyMb) * pending) / theirPending;
    const before = cpuSeconds(peer.workerPid);
    await sleep(QUIET_MS);
    const cpu = ((cpuSeconds(peer.workerPid) - before) / (QUIET_MS / 1000)) * 100;
    const { late99 } = await peer.drive<{ late99: number }>('lateness', firing, BETWEEN_MS, FIRST_AFTER_MS);
    return { cpu, memory, late99 };
  },
};

/** Each task says how late it began; the last one picks the figure. */
async function lateness({ feed }: Bench): Promise<Values> {
  const firstMs = Date.now() + FIRST_AFTER_MS;
  const header = Array.from({ length: firing }, (_, index) => {
    const eta = new Date(firstMs + index * BETWEEN_MS);
    return { task: 'late', args: [eta.getTime()], eta: eta.toISOString() };
  });
  const { status } = await feed.run('timers-late', { chord: { header, body: { task: 'late99' } } });
  return { late99: status.result as number };
}

async function untilProgress(bench: Bench, name: string, progress: string): Promise<void> {
  await until(`workflow ${name} is at ${progress}`, SETTLED_WITHIN_MS, async () => {
    const { body } = await bench.api.call('GET', pathOf(bench, name));
    return (body as { status?: WorkflowStatus }).status?.progress === progress;
  });
}

function pathOf({ namespace }: Bench, name: string): string {
  return `${collectionPath(resources.workflows, namespace.name)}/${name}`;
}
