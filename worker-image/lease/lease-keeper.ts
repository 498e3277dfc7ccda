import { Worker } from 'node:worker_threads';
import type { LeaseBooks, WorkerLog } from '../runtime/worker-ports.ts';
import type { FromLeaseThread, LeaseThreadData, ToLeaseThread } from './lease-message.ts';

const ENDED_WITHIN_MS = 2_000;

/** Where the thread's program is: beside this file, in the sources and in the bundle. */
const leaseThreadUrl = new URL(
  import.meta.url.endsWith('.ts') ? './lease-thread.ts' : './lease-thread.mjs',
  import.meta.url,
);

export interface LeaseEvents {
  /** These messages are in other hands now. */
  readonly onGone: (tags: readonly string[]) => void;
  /** The thread itself has ended: nothing is renewed any more. */
  readonly onEnd: (why: string) => void;
}

/** The main thread's end of the lease: tells the thread what this worker holds. */
export class LeaseKeeper implements LeaseBooks {
  readonly #worker: Worker;
  readonly #begun = Promise.withResolvers<undefined>();
  #isEnding = false;
  #took: string[] = [];
  #released: string[] = [];

  constructor(data: LeaseThreadData, log: WorkerLog, events: LeaseEvents) {
    this.#worker = new Worker(leaseThreadUrl, { workerData: data, name: 'arpeggio-lease' });
    this.#worker.on('message', (message: FromLeaseThread) => {
      if (message.kind === 'Begun') this.#begun.resolve(undefined);
      else if (message.kind === 'Gone') events.onGone(message.tags);
      else log.warn({ error: message.message }, 'the lease could not be renewed; trying again');
    });
    this.#worker.on('error', (error: unknown) =>
      this.#ended(events, error instanceof Error ? error.message : String(error)),
    );
    this.#worker.on('exit', (code) => this.#ended(events, `code ${code}`));
  }

  /** Resolves when the thread looks after what this worker takes. */
  async begun(): Promise<void> {
    await this.#begun.promise;
  }

  took(tags: readonly string[]): void {
    this.#later();
    this.#took.push(...tags);
  }

  released(tags: readonly string[]): void {
    this.#later();
    this.#released.push(...tags);
  }

  /** Gives the lease back. Resolves when the thread has ended, at the latest after 2 s. */
  async end(): Promise<void> {
    this.#isEnding = true;
    const ended = new Promise<void>((resolve) => {
      this.#worker.once('exit', () => resolve());
      setTimeout(resolve, ENDED_WITHIN_MS).unref();
    });
    this.#tell({ kind: 'End' });
    await ended;
    await this.#worker.terminate();
  }

  /** One message for all that happens in a turn; what came and went within it is not worth a word. */
  #later(): void {
    if (this.#took.length + this.#released.length > 0) return;
    setImmediate(() => {
      const [took, released] = [this.#took, this.#released];
      this.#took = [];
      this.#released = [];
      if (took.length > 0) this.#tell({ kind: 'Took', tags: took });
      if (released.length > 0) this.#tell({ kind: 'Released', tags: released });
    });
  }

  #tell(message: ToLeaseThread): void {
    this.#worker.postMessage(message);
  }

  #ended(events: LeaseEvents, why: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    events.onEnd(why);
  }
}
