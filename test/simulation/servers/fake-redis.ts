import type { Server } from '../kernel/link.ts';
import { Actor } from '../kernel/actor.ts';
import { epochMs, type Timeline } from '../kernel/timeline.ts';
import { emptyData, type RedisData } from './redis-data.ts';

/** What is left of a Redis after it went away. */
export type Remains =
  /** Everything: it was stopped and started. */
  | 'All'
  /** What was on disk: the file is written through once a second. */
  | 'Synced'
  /** What a replica had that lagged behind. */
  | 'Replicated'
  | 'Nothing';

/** What it refuses while it answers: what needs memory, or all that writes. */
type Refused = 'Growth' | 'Writes';

/** Calls that change nothing, or only tell others something. */
const reading: ReadonlySet<string> = new Set([
  ...['connect', 'ping', 'nowMs', 'read', 'registered', 'revisions', 'read results', 'glance at results'],
  ...['find messages', 'ask', 'revoke', 'read depths', 'read the ledger', 'look for a lease'],
]);
/** Calls that need no memory. */
const shrinking: ReadonlySet<string> = new Set(['withdraw', 'acknowledge', 'clearOutbox']);

interface Operation {
  readonly atMs: number;
  readonly operate: (data: RedisData) => unknown;
}

/** How often what was written reaches the disk. */
const syncEveryMs = 1_000;
/** A client that connects again sees whose server it is. */
const noticeMs = 20;

/**
 * A Redis: one thread, so every operation is whole, and a log of them from which any earlier state is made again. All
 * keys lose the same suffix of time, as they do in an append-only file.
 */
export class FakeRedis implements Server {
  readonly actor: Actor;
  /** Told of every message that reaches a queue, as long as it is no memory of an earlier life. */
  onPushed: (message: string, queue: string) => void = () => undefined;
  onAnnounced: (id: string, text: string) => void = () => undefined;
  onLost: (remains: Remains) => void = () => undefined;
  incarnation = 1;
  isUp = true;
  isHanging = false;
  refused: Refused | undefined;
  readonly #timeline: Timeline;
  readonly #offsetMs: number;
  readonly #watchers = new Set<{ readonly client: Actor; readonly onStarted: () => void }>();
  #log: Operation[] = [];
  #data: RedisData;
  #replayedAtMs: number | undefined;

  constructor(name: string, timeline: Timeline, offsetMs = 0) {
    this.actor = new Actor(name);
    this.#timeline = timeline;
    this.#offsetMs = offsetMs;
    this.#data = this.#empty();
    this.#listen();
  }

  /** As `INFO server` tells it: a new one at every start. */
  get runId(): string {
    return `${this.actor.name}-${this.incarnation}`;
  }

  /** For reading only. */
  get data(): RedisData {
    return this.#data;
  }

  /** Its own clock: milliseconds since 1970. */
  get clockMs(): number {
    return Math.floor(epochMs + (this.#replayedAtMs ?? this.#timeline.nowMs) + this.#offsetMs);
  }

  /** Changes something; remembered, so that it can be lost. */
  change<T>(operate: (data: RedisData) => T): T {
    this.#log.push({ atMs: this.#timeline.nowMs, operate });
    return operate(this.#data);
  }

  /** Calls a client back a little after each start; the returned function ends it. */
  watch(client: Actor, onStarted: () => void): () => void {
    const watcher = { client, onStarted };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  refusalOf(what: string): string | undefined {
    if (this.refused === undefined || reading.has(what)) return undefined;
    if (this.refused === 'Writes') return "READONLY You can't write against a read only replica.";
    return shrinking.has(what) ? undefined : "OOM command not allowed when used memory > 'maxmemory'.";
  }

  /** Goes away at once; every connection breaks. What it will remember is decided when it comes back. */
  stop(): void {
    this.isUp = false;
    this.incarnation += 1;
  }

  /** Comes back, with what is left. */
  start(remains: Remains, lagMs = 0): void {
    const sinceMs = this.#lostSince(remains, lagMs);
    const before = this.#log.length;
    this.#log = this.#log.filter(({ atMs }) => atMs < sinceMs);
    if (this.#log.length < before) this.#replay();
    this.isUp = true;
    if (this.#log.length < before) this.onLost(remains);
    for (const { client, onStarted } of this.#watchers) {
      if (client.isDead) continue;
      this.#timeline.in(noticeMs, client, 'sees another server', onStarted);
    }
  }

  #lostSince(remains: Remains, lagMs: number): number {
    const { nowMs } = this.#timeline;
    switch (remains) {
      case 'All':
        return Infinity;
      case 'Synced':
        return Math.floor(nowMs / syncEveryMs) * syncEveryMs;
      case 'Replicated':
        return nowMs - lagMs;
      case 'Nothing':
        return -1;
    }
  }

  #replay(): void {
    this.#data = this.#empty();
    for (const { atMs, operate } of this.#log) {
      this.#replayedAtMs = atMs;
      // Whatever it answered went to someone long ago.
      void Promise.resolve(operate(this.#data)).catch(() => undefined);
    }
    this.#replayedAtMs = undefined;
    this.#listen();
  }

  #empty(): RedisData {
    return emptyData(
      () => this.clockMs,
      (message, queue) => {
        if (this.#replayedAtMs === undefined) this.onPushed(message, queue);
      },
    );
  }

  #listen(): void {
    const { results } = this.#data;
    results.hear({
      heard: (id, text) => {
        if (this.#data.results === results) this.onAnnounced(id, text);
      },
      missed: () => undefined,
    });
  }
}
