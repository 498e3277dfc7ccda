import { startContainerRedis } from './redis-container.ts';
import { startLocalRedis } from './redis-process.ts';
import { dockerAnswers } from './docker-engine.ts';

export type RedisOptions = {
  /** Write every change to an append-only file at once, so that a kill and a restart lose nothing. Default: keep nothing. */
  readonly appendOnly?: boolean;
  /** Ask clients for this password. Default: none. */
  readonly password?: string;
};

/** A real Redis of its own for one test file. It ends with the process that started it. */
export type RunningRedis = {
  readonly host: string;
  readonly port: number;
  /** `redis://[:password@]host:port/0`; append another number to use another database. */
  readonly url: string;
  /** Where it runs: in a container of the Docker engine, or as a child process. */
  readonly kind: 'container' | 'process';
  /** SIGKILL: connections break at once, the port refuses. `restart` brings it back. */
  kill(): Promise<void>;
  /** Back on the same port, after `kill` or while running; with what the append-only file holds, if there is one. */
  restart(): Promise<void>;
  /** Gone, with its data. Calling it twice is harmless. */
  stop(): Promise<void>;
};

/**
 * Starts Redis on a free port and resolves when it answers: in a container where a Docker engine answers, else from the
 * machine's `redis-server`. `ARPEGGIO_TEST_REDIS=process` or `=container` settles it.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RunningRedis> {
  const wanted = process.env['ARPEGGIO_TEST_REDIS'];
  if (wanted === 'process') return startLocalRedis(options);
  if (wanted === 'container' || (await dockerAnswers())) return startContainerRedis(options);
  return startLocalRedis(options);
}
