import { entries } from '#core/base/json-span.ts';
import { decodeTaskId, type TaskIdFields } from '#core/base/task-id.ts';
import { nullText, stringifyJson } from '#core/base/json-text.ts';
import type { PayloadLimits } from '#core/base/payload-limits.ts';
import { isLongerThan, utf8Length } from '#core/base/utf8-length.ts';
import type { StoredResult } from '#core/celery/result-meta.ts';
import { cutFailure, engineFailure, type Failure } from './failure.ts';
import type { Observation, Report } from './observation.ts';

/** A stored result under an id of ours, and whose it is. */
export interface ObservedResult {
  readonly run48: string;
  readonly round: number;
  readonly observation: Observation;
}

/** Exceptions by which Celery says that a task was lost with its process (billiard/exceptions.py, 4.3). */
export const lostWith: ReadonlySet<string> = new Set(['WorkerLostError', 'Terminated']);

/**
 * What a stored result says about a step; undefined for others' ids, carriers, and states that change nothing. Of a result
 * that is longer than a run keeps, only its length is taken; failures are cut to what is kept of them.
 */
export function observeResult(
  id: string,
  stored: StoredResult,
  payloadLimits: Pick<PayloadLimits, 'resultBytes'>,
): ObservedResult | undefined {
  const fields = decodeTaskId(id);
  if (fields === undefined || fields.kind === 'Carrier') return undefined;
  const observation = fields.kind === 'Note' ? withoutResult(fields) : observationOf(fields, stored, payloadLimits);
  return observation === undefined ? undefined : { run48: fields.run48, round: fields.round, observation };
}

/** Our workers note of a message that it leaves no result. */
function withoutResult({ step, member, attempt }: TaskIdFields): Observation {
  const failure = engineFailure('NoResult', 'the task raised Ignore, and so it stored no result');
  return { step, member, attempt, seen: 'Failed', failure };
}

function observationOf(
  { step, member, attempt }: TaskIdFields,
  stored: StoredResult,
  { resultBytes }: Pick<PayloadLimits, 'resultBytes'>,
): Observation | undefined {
  const at = { step, member, attempt };
  switch (stored.status) {
    case 'SUCCESS':
      if (isLongerThan(stored.resultText, resultBytes))
        return { ...at, seen: 'TooLarge', bytes: utf8Length(stored.resultText) };
      return { ...at, seen: 'Succeeded', result: stored.resultText };
    case 'FAILURE':
      return { ...at, seen: lostWith.has(stored.excType ?? '') ? 'Lost' : 'Failed', failure: failureOf(stored) };
    case 'REVOKED':
      return { ...at, seen: 'Revoked', failure: failureOf(stored) };
    case 'RETRY':
      return { ...at, seen: 'Retrying' };
    case 'STARTED':
      return { ...at, seen: 'Started' };
    default:
      return customState.test(stored.status) ? { ...at, seen: 'Reported', report: reportOf(stored) } : undefined;
  }
}

/** What status shows of a state's name. */
const customState = /^[A-Z][A-Za-z_]{0,63}$/;

/** Of the meta only how far the task is, by the names that Celery's documentation uses: `current` or `done`, of `total`. */
function reportOf({ status, resultText }: StoredResult): Report {
  const fields = resultText.length > mostReportCharacters ? undefined : entries(resultText);
  const done = countOf(fields?.get('current') ?? fields?.get('done'));
  const total = countOf(fields?.get('total'));
  return { state: status, ...(done === undefined ? {} : { done }), ...(total === undefined ? {} : { total }) };
}

const mostReportCharacters = 64 * 1024;

function countOf(text: string | undefined): number | undefined {
  const value = Number(text ?? 'none');
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

function failureOf(stored: StoredResult): Failure {
  const traceback = stored.traceback === null ? nullText : stringifyJson(stored.traceback);
  return cutFailure({ exc: stored.resultText, traceback });
}
