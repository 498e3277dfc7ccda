import { parseDurationMs } from '#core/base/duration.ts';
import { msOf } from '#core/base/iso-date.ts';
import { isRawNumber, plainNumber, stringifyJson, type JsonText } from '#core/base/json-text.ts';
import type { Element as SpecElement, MapSpec } from '#core/resources/element.ts';
import { retryDefaults } from '#core/resources/retry.ts';
import type { Signature } from '#core/resources/signature.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import { argumentText } from './argument-text.ts';
import type { Canvas, Element, Expiry, MapSource, RetryPolicy, TaskElement, TaskOptions } from './element.ts';

const noKwargs = '{}' as JsonText;

/** A parsed spec as a closed union, with defaults applied: they belong to the plan, never to the stored spec. */
export function normalise(spec: WorkflowSpec): Canvas {
  return { root: elementOf(spec), finally: (spec.finally ?? []).map(taskOf) };
}

function elementOf(spec: SpecElement): Element {
  const place = {
    ...(spec.name === undefined ? {} : { name: spec.name }),
    ...(spec.when === undefined ? {} : { when: spec.when }),
    onFailure: spec.onFailure ?? ('Fail' as const),
    link: (spec.link ?? []).map(taskOf),
    linkError: (spec.linkError ?? []).map(taskOf),
  };
  if (spec.chain !== undefined) return { kind: 'Chain', members: spec.chain.map(elementOf), ...place };
  if (spec.group !== undefined) return { kind: 'Group', members: spec.group.map(elementOf), ...place };
  if (spec.chord !== undefined) {
    const { header, body } = spec.chord;
    return { kind: 'Chord', header: header.map(elementOf), body: elementOf(body), ...place };
  }
  if (spec.map !== undefined) return { ...mapOf(spec.map), ...place };
  return { ...taskOf(spec), ...place };
}

function mapOf(map: MapSpec) {
  return {
    kind: 'Map' as const,
    each: map.each === undefined ? taskOf(map) : elementOf(map.each),
    over: sourceOf(map),
    unpack: map.unpack ?? false,
    ...(map.chunk === undefined ? {} : { chunk: plainNumber(map.chunk) }),
  };
}

function sourceOf({ over, range }: MapSpec): MapSource {
  if (over !== undefined) return { from: 'List', items: over.map(stringifyJson) };
  if (range === undefined) return { from: 'Input' };
  if (typeof range !== 'object' || isRawNumber(range))
    return { from: 'Range', start: 0, stop: plainNumber(range), step: 1 };
  return {
    from: 'Range',
    start: plainNumber(range.start ?? 0),
    stop: plainNumber(range.stop),
    step: plainNumber(range.step ?? 1),
  };
}

function taskOf(signature: Readonly<Partial<Signature>>): TaskElement {
  const { task, args, kwargs, immutable } = signature;
  return {
    kind: 'Task',
    task: task ?? '',
    args: (args ?? []).map(argumentText),
    kwargs: kwargs === undefined ? noKwargs : argumentText(kwargs),
    immutable: immutable ?? false,
    onFailure: 'Fail',
    link: [],
    linkError: [],
    ...optionsOf(signature),
  };
}

function optionsOf(signature: Readonly<Partial<Signature>>): TaskOptions {
  const { queue, priority, countdown, eta, expires, retry, timeLimit, softTimeLimit, waitLimit } = signature;
  return given({
    queue,
    priority: priority === undefined ? undefined : plainNumber(priority),
    countdownMs: msOfDuration(countdown),
    etaMs: eta === undefined ? undefined : msOf(eta),
    expires: expires === undefined ? undefined : expiryOf(expires),
    retry: retry === undefined ? undefined : retryOf(retry),
    timeLimitMs: msOfDuration(timeLimit),
    softTimeLimitMs: msOfDuration(softTimeLimit),
    waitLimitMs: msOfDuration(waitLimit),
  });
}

function expiryOf(text: string): Expiry {
  const afterMs = parseDurationMs(text);
  return afterMs === undefined ? { atMs: msOf(text) } : { afterMs };
}

function retryOf(retry: NonNullable<Signature['retry']>): RetryPolicy {
  const { maxRetries, backoff, maxBackoff, jitter, for: exceptions, escalateTo, onLost } = retry;
  return {
    ...retryDefaults,
    ...given({
      maxRetries: maxRetries === undefined ? undefined : plainNumber(maxRetries),
      backoffMs: msOfDuration(backoff),
      maxBackoffMs: msOfDuration(maxBackoff),
      jitter,
      for: exceptions,
      escalateTo,
      onLost,
    }),
  };
}

function msOfDuration(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDurationMs(text);
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Only what was given: absent is not undefined. */
function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}
