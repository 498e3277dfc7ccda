import type { Redis } from 'ioredis';

/** A server that changes under a connection that stays, as behind a proxy, is found within this time. */
const LOOK_EVERY_MS = 5_000;

export interface WatchServerOptions {
  /** Beside the look at each new connection. Default 5,000. */
  readonly lookEveryMs?: number | undefined;
  readonly onChanged: () => void;
}

/**
 * Calls back when the server that the client talks to may be another, or the same with other data. `run_id` is new with each
 * start of a server; `master_replid` with each start of a master, and when a replica is promoted or made to copy another
 * server (Redis 7, `INFO`). It is looked at whenever a connection is made, and now and then. Returns how to stop.
 */
export function watchServer(client: Redis, { lookEveryMs, onChanged }: WatchServerOptions): () => void {
  let known: string | undefined;
  /** Something was not seen: before the first answer, any break may have been a change. */
  let hasMissed = false;
  let isStopped = false;
  async function look(): Promise<void> {
    const found = await identityOf(client);
    if (isStopped) return;
    if (found === undefined) {
      hasMissed ||= known === undefined;
      return;
    }
    const isOther = known === undefined ? hasMissed : known !== found;
    known = found;
    if (isOther) onChanged();
  }
  const lookAgain = (): void => void look();
  const timer = setInterval(() => {
    if (client.status === 'ready') lookAgain();
  }, lookEveryMs ?? LOOK_EVERY_MS);
  timer.unref();
  client.on('ready', lookAgain);
  lookAgain();
  return () => {
    isStopped = true;
    clearInterval(timer);
    client.off('ready', lookAgain);
  };
}

/** Undefined while the server does not answer. */
async function identityOf(client: Redis): Promise<string | undefined> {
  try {
    const [server, replication] = await Promise.all([client.info('server'), client.info('replication')]);
    return `${field(server, 'run_id')} ${field(replication, 'master_replid')}`;
  } catch {
    return undefined;
  }
}

/** Empty where a server does not say it. */
function field(text: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1] ?? '';
}
