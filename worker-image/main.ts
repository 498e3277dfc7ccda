import { stopSignal } from './stop-signal.ts';
import { randomUUID } from 'node:crypto';
import { pino, type Logger } from 'pino';
import { systemClock } from '#io/system-clock.ts';
import { ConfigError, parseConfig, type Config } from './config.ts';
import { openConnections } from './connections.ts';
import { openHealth } from './health.ts';
import { LeaseKeeper } from './lease/lease-keeper.ts';
import { InlineRunner } from './runtime/inline-runner.ts';
import { ThreadRunner } from './runtime/thread-runner.ts';
import { TasksUnusable } from './runtime/thread-slot.ts';
import { TaskWorker } from './runtime/worker.ts';
import { loadTasks } from './tasks/load-tasks.ts';
import { taskThreadUrl } from './tasks/task-thread-url.ts';

/** Runs until SIGTERM or SIGINT, then drains. Before it is connected it holds nothing, and ends at once. */
async function run(config: Config, log: Logger): Promise<void> {
  const { connection, queues, concurrency, pool, podName, podUid } = config;
  let isConnected = false;
  void stopSignal.then((signal) => isConnected || leave(log, signal));
  const health = openHealth(config.healthPort);
  const threads = await ThreadRunner.open({ url: taskThreadUrl, tasksPath: config.tasksPath });
  const hasInline = threads.tasks.some(({ inline }) => inline);
  const inline = new InlineRunner(hasInline ? await loadTasks(config.tasksPath) : new Map());
  const tasks = new Map(threads.tasks.map((info) => [info.name, info]));
  log.info({ tasks: [...tasks.keys()], queues, concurrency }, 'the tasks are loaded');

  const connections = await openConnections(config, log);
  isConnected = true;
  const { broker, consumer, results, chords } = connections;
  const held = { incarnation: consumer.incarnation, pool, slots: concurrency, queues };
  const lease = new LeaseKeeper(
    { address: connection.broker, ca: connection.ca, prefix: connection.keyPrefix, ...held },
    log,
    {
      onGone: (tags) => worker.lose(tags),
      onEnd: (why) => end(log, { why }, 'the lease thread has ended, so the worker ends'),
    },
  );
  const worker = new TaskWorker(
    { consumer, results, chords, lease, threads, inline, tasks, log, newId: randomUUID, ...systemClock },
    { queues, concurrency, hostname: `${pool}@${podName}`, trackStarted: config.trackStarted },
  );
  await lease.begun();
  worker.start();

  log.info({ signal: await stopSignal, running: worker.busy, drainMs: config.drainMs }, 'the worker drains');
  const isClean = await worker.drain(config.drainMs);
  await threads.close();
  // What still ran goes back at once, with this delivery on its count: the pod may never come back.
  if (!isClean) await broker.retire(podUid).catch((err: unknown) => log.warn({ err }, 'could not hand back what ran'));
  await lease.end();
  connections.close();
  health?.close();
  log.info({ isClean }, 'the worker has ended');
}

function leave(log: Logger, signal: string): never {
  log.info({ signal }, 'the worker ends before it was connected');
  process.exit(0);
}

function end(log: Logger, fields: object, message: string): never {
  log.fatal(fields, message);
  process.exit(1);
}

const level = process.env['ARPEGGIO_LOG_LEVEL'] ?? 'info';
const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
try {
  await run(parseConfig(process.env), log);
  process.exit(0);
} catch (error) {
  if (error instanceof ConfigError || error instanceof TasksUnusable) end(log, {}, error.message);
  end(log, { err: error }, 'the worker cannot run');
}
