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

/** Writes Kubernetes events: counted when they repeat, bounded per object and in all, and never waited for. */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #instance: string;
  readonly #log: Log;
  readonly #series = new Map<string, Series>();
  readonly #budgets = new Map<string, { left: number; atMs: number }>();
  #writes = 0;

  /** `instance` names the pod that reports. */
  constructor(client: KubeClient, instance: string, log: Log) {
    this.#client = client;
    this.#instance = instance;
    this.#log = log;
  }

  recordEvent(note: EventNote): void {
    const nowMs = Date.now();
    const key = [note.regarding.metadata.uid, note.type, note.reason, note.message].join('\n');
    const series = this.#series.get(key);
    if (series !== undefined && nowMs - series.sentAtMs < seriesMs) {
      series.count += 1;
      if (nowMs - series.sentAtMs >= countEveryMs) this.#writeCount(note, series, nowMs);
      return;
    }
    if (this.#writes >= maxWrites || !this.#spend(note.regarding.metadata.uid ?? '', nowMs)) return;
    const name = `${note.regarding.metadata.name.slice(0, 200)}.${randomUUID().slice(0, 13)}`;
    remember(this.#series, key, { name, count: 1, sentAtMs: nowMs });
    this.#write(note, {
      method: 'POST',
      path: collectionPath(resources.events, namespaceOf(note)),
      body: stringifyJson(this.#eventOf(note, name, nowMs)),
    });
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
      reportingInstance: this.#instance.slice(0, 128),
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
      note: note.message.slice(0, 1_000),
      type: note.type,
    };
  }

  #write(note: EventNote, request: Parameters<KubeClient['call']>[0]): void {
    this.#writes += 1;
    this.#client
      .call(request)
      .catch((error: unknown) => {
        this.#log.debug({ reason: note.reason, err: error }, 'an event could not be written');
      })
      .finally(() => (this.#writes -= 1));
  }

  #spend(uid: string, nowMs: number): boolean {
    const known = this.#budgets.get(uid) ?? { left: burst, atMs: nowMs };
    const left = Math.min(burst, known.left + (nowMs - known.atMs) / 60_000);
    remember(this.#budgets, uid, { left: Math.max(left - 1, 0), atMs: nowMs });
    return left >= 1;
  }
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
