import { randomUUID } from 'node:crypto';
import { stringifyJson } from '#core/base/json-text.ts';
import type { Log } from '#core/base/log.ts';
import type { KubeClient } from './client.ts';
import { microTime } from './micro-time.ts';
import type { KubeObject } from './object.ts';
import { apiVersionOf, collectionPath, objectPath, type Resource, resources } from './resource.ts';

/** One thing worth reading in `kubectl describe`. Never needed for correctness, never holding arguments or results. */
export interface EventNote {
  readonly resource: Resource;
  readonly regarding: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** One CamelCase word. */
  readonly reason: string;
  /** What was done or tried: one CamelCase word. */
  readonly action: string;
  readonly message: string;
}

interface Series {
  readonly name: string;
  count: number;
  sentAtMs: number;
}

/** The same note again within this time is counted in the first one. */
const seriesMs = 10 * 60_000;
/** A growing count is written at most this often. */
const countEveryMs = 30_000;
/** Of one object: so many notes at once, and one more a minute. */
const burst = 20;
const maxSeries = 1_000;
const maxWrites = 64;
/** The API server refuses a longer note: it counts bytes, and takes 1,024. */
const maxNoteBytes = 1_000;

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** The pod that reports. */
  readonly instance: string;
  readonly log: Log;
  /** Milliseconds since 1970. Default: of this machine. */
  readonly nowMs?: () => number;
  /** Text by chance, of which names are made. Default: UUIDs. */
  readonly newId?: () => string;
}

/** Writes Kubernetes events: counted when they repeat, bounded per object and in all, and never waited for. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #budgets = new Map<string, { left: number; atMs: number }>();
  readonly #writes = new Set<Promise<void>>();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  recordEvent(note: EventNote): void {
    const { nowMs: clock = Date.now, newId = randomUUID } = this.#options;
    const nowMs = clock();
    const key = [note.regarding.metadata.uid, note.type, note.reason, note.message].join('\n');
    const series = this.#series.get(key);
    if (series !== undefined && nowMs - series.sentAtMs < seriesMs) {
      series.count += 1;
      if (nowMs - series.sentAtMs >= countEveryMs) this.#writeCount(note, series, nowMs);
      return;
    }
    if (this.#writes.size >= maxWrites || !this.#spend(note.regarding.metadata.uid ?? '', nowMs)) return;
    const name = `${note.regarding.metadata.name.slice(0, 200)}.${newId().slice(0, 13)}`;
    remember(this.#series, key, { name, count: 1, sentAtMs: nowMs });
    this.#write(note, {
      method: 'POST',
      path: collectionPath(resources.events, namespaceOf(note)),
      body: stringifyJson(this.#eventOf(note, name, nowMs)),
    });
  }

  /** Resolves when no write is under way. */
  async settled(): Promise<void> {
    while (this.#writes.size > 0) await Promise.all(this.#writes);
  }

  #writeCount(note: EventNote, series: Series, nowMs: number): void {
    series.sentAtMs = nowMs;
    this.#write(note, {
      method: 'PATCH',
      path: objectPath(resources.events, { namespace: namespaceOf(note), name: series.name }),
      contentType: 'application/merge-patch+json',
      body: stringifyJson({ series: { count: series.count, lastObservedTime: microTime(nowMs) } }),
    });
  }

  #eventOf(note: EventNote, name: string, nowMs: number): object {
    const { metadata } = note.regarding;
    return {
      apiVersion: apiVersionOf(resources.events),
      kind: resources.events.kind,
      metadata: { name, namespace: namespaceOf(note) },
      eventTime: microTime(nowMs),
      reportingController: 'arpeggio.dev/operator',
      reportingInstance: this.#options.instance.slice(0, 128),
      action: note.action,
      reason: note.reason,
      regarding: {
        apiVersion: apiVersionOf(note.resource),
        kind: note.resource.kind,
        name: metadata.name,
        namespace: namespaceOf(note),
        uid: metadata.uid,
        resourceVersion: metadata.resourceVersion,
      },
      note: shortened(note.message),
      type: note.type,
    };
  }

  #write(note: EventNote, request: Parameters<KubeClient['call']>[0]): void {
    const { client, log } = this.#options;
    const writing = client.call(request).then(
      () => undefined,
      (error: unknown) => log.debug({ reason: note.reason, err: error }, 'an event could not be written'),
    );
    this.#writes.add(writing);
    void writing.finally(() => this.#writes.delete(writing));
  }

  #spend(uid: string, nowMs: number): boolean {
    const known = this.#budgets.get(uid) ?? { left: burst, atMs: nowMs };
    const left = Math.min(burst, known.left + (nowMs - known.atMs) / 60_000);
    remember(this.#budgets, uid, { left: Math.max(left - 1, 0), atMs: nowMs });
    return left >= 1;
  }
}

/** As much of the text as fits, in whole characters. */
function shortened(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxNoteBytes) return text;
  // A byte that goes on with a character is 10xxxxxx.
  let end = maxNoteBytes;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

function namespaceOf(note: EventNote): string {
  return note.regarding.metadata.namespace ?? 'default';
}

/** Keeps the newest entries only. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.size > maxSeries ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
}
