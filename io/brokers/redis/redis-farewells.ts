import type { Redis } from 'ioredis';
import { nodenameOfEvent } from '#core/celery/control-message.ts';
import { BrokerKeys } from '../broker-keys.ts';

export interface RedisFarewellsOptions {
  /** Opens a client that does nothing but listen. */
  readonly openSubscriber: () => Redis;
  readonly db: number;
  /** The connection's `keyPrefix`, `''` for none. */
  readonly prefix: string;
  /** Told the nodename. */
  readonly left: (nodename: string) => void;
  /** What was said before may not have been heard; told when listening began, and each time that it began again. */
  readonly missed: () => void;
  /** The account may not listen; told once. */
  readonly refused: (message: string) => void;
}

/**
 * Hears Celery's `worker-offline`, which a worker says when it begins to shut down: from then on it answers nothing, though
 * it finishes what it runs. One that is killed says nothing. The returned function ends it.
 */
export function hearFarewells({
  openSubscriber,
  db,
  prefix,
  left,
  missed,
  refused,
}: RedisFarewellsOptions): () => void {
  const subscriber = openSubscriber();
  const channel = new BrokerKeys(prefix).channel(db, 'celeryev/worker.offline');
  subscriber.on('message', (_channel: string, text: string) => {
    const nodename = nodenameOfEvent(text);
    if (nodename !== undefined) left(nodename);
  });
  let isRefused = false;
  const subscribe = (): void => {
    subscriber.subscribe(channel).then(missed, (error: unknown) => {
      // When the connection broke meanwhile, the next `ready` subscribes again.
      if (isRefused || !(error instanceof Error) || error.name !== 'ReplyError') return;
      isRefused = true;
      refused(`the operator's account may not hear which workers leave: it needs &${channel}`);
    });
  };
  subscriber.on('ready', subscribe);
  if (subscriber.status === 'ready') subscribe();
  return () => subscriber.disconnect();
}
