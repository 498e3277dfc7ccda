/** No snapshots, and a database for each test of a file, however many there are. */
export const FOR_TESTS: readonly string[] = ['--save', '', '--databases', '64'];

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
