import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import type { KubeClient } from '#io/kube/client.ts';
import { collectionPath, resources } from '#io/kube/resource.ts';

/** A Workflow that has ended, and when the watch said so. */
export type EndedWorkflow = { readonly status: WorkflowStatus; readonly atMs: number };

type WatchLine = {
  readonly type: string;
  readonly object: { readonly metadata: { readonly name: string }; readonly status?: WorkflowStatus };
};

/** Creates Workflows and sees them end, as a user who watches does. Times are `performance.now()`. */
export class WorkflowFeed {
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #stop = new AbortController();
  readonly #ended = new Map<string, EndedWorkflow>();
  readonly #waiting = new Map<string, (ended: EndedWorkflow) => void>();

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
    void this.#follow();
  }

  /** Resolves with the time the request was sent and the time it was accepted. */
  async create(name: string, spec: object): Promise<{ readonly sentMs: number; readonly acceptedMs: number }> {
    const body = JSON.stringify({
      apiVersion: 'arpeggio.dev/v1alpha1',
      kind: 'Workflow',
      metadata: { name, namespace: this.#namespace },
      spec,
    });
    const sentMs = performance.now();
    await this.#client.call({ method: 'POST', path: collectionPath(resources.workflows, this.#namespace), body });
    return { sentMs, acceptedMs: performance.now() };
  }

  /** Rejects when it has not ended in time. */
  ended(name: string, withinMs: number): Promise<EndedWorkflow> {
    const known = this.#ended.get(name);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`workflow ${name} did not end within ${withinMs} ms`)), withinMs);
      this.#waiting.set(name, (ended) => {
        clearTimeout(timer);
        resolve(ended);
      });
    });
  }

  /** Creates one and waits for its success; milliseconds from the moment the API server had accepted it. */
  async run(name: string, spec: object, withinMs = 120_000): Promise<EndedWorkflow & Run> {
    const times = await this.create(name, spec);
    const ended = await this.ended(name, withinMs);
    if (ended.status.state !== 'Succeeded') throw new Error(`workflow ${name} is ${JSON.stringify(ended.status)}`);
    return {
      ...ended,
      ...times,
      acceptedToEndMs: ended.atMs - times.acceptedMs,
      sentToEndMs: ended.atMs - times.sentMs,
    };
  }

  close(): void {
    this.#stop.abort();
  }

  /** A watch that the server ends, because we did not keep up, say, is opened anew: it begins with all that there is. */
  async #follow(): Promise<void> {
    const query = { watch: true, timeoutSeconds: 3600 };
    const path = collectionPath(resources.workflows, this.#namespace);
    while (this.#isOpen()) {
      try {
        for await (const line of this.#client.watch({ path, query, signal: this.#stop.signal })) this.#hear(line);
      } catch (error) {
        if (!this.#isOpen()) return;
        console.error(`  the watch broke: ${String(error)}`);
      }
    }
  }

  #isOpen(): boolean {
    return !this.#stop.signal.aborted;
  }

  #hear(line: string): void {
    // Most of a large Workflow's lines are its spec: only the last one is worth parsing.
    if (!line.includes('"finishedAt"')) return;
    const { object } = JSON.parse(line) as WatchLine;
    const { name } = object.metadata;
    if (object.status?.finishedAt === undefined || this.#ended.has(name)) return;
    const ended = { status: object.status, atMs: performance.now() };
    this.#ended.set(name, ended);
    this.#waiting.get(name)?.(ended);
    this.#waiting.delete(name);
  }
}

export type Run = {
  readonly sentMs: number;
  readonly acceptedMs: number;
  readonly acceptedToEndMs: number;
  readonly sentToEndMs: number;
};
