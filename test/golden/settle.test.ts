import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import type { TaskMessage } from '#core/celery/task-message.ts';
import type { EndOutcome } from '#core/execution/outcome.ts';
import { settle } from '#core/execution/settle.ts';
import { capture, comparable, unwrapped, wireText } from './capture.ts';

const traceback = 'somewhere';
const boom: EndOutcome = {
  kind: 'Failed',
  exception: { type: 'Boom', messageText: '["kaput",42]' as JsonText, module: 'tasks' },
  traceback,
};
const done = (text: string): EndOutcome => ({ kind: 'Succeeded', resultText: text as JsonText });

function messageOf(name: string, index: number): TaskMessage {
  const decoded = decodeTaskMessage(wireText(capture(name).messages[index]!.message));
  if (!decoded.ok) throw new Error(decoded.error.message);
  return decoded.value;
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Ids that were new in this very step differ from run to run; everything else must not. */
function masked(text: string, known: string): string {
  return text
    .replaceAll(uuid, (id) => (known.includes(id) ? id : 'NEW'))
    .replaceAll(/"traceback":"(?:[^"\\]|\\.)*"/g, '"traceback":"…"')
    .replaceAll(/"(date_done|eta)":"[^"]*"/g, '"$1":"…"')
    .replaceAll(/"reply_to":"[^"]*"/g, '"reply_to":""');
}

interface Case {
  readonly name: string;
  /** Which of the recorded messages our worker is given. */
  readonly of: number;
  readonly outcome: EndOutcome;
  /** Which of the recorded messages and results it then writes. */
  readonly publishes: readonly number[];
  readonly stores: readonly number[];
}

describe('our worker leaves behind what Celery left behind', () => {
  test.each<Case>([
    { name: 'run-plain', of: 0, outcome: done('3'), publishes: [], stores: [0] },
    { name: 'run-fail', of: 0, outcome: boom, publishes: [], stores: [0] },
    { name: 'run-link', of: 0, outcome: done('3'), publishes: [1], stores: [0] },
    { name: 'run-link-two', of: 0, outcome: done('3'), publishes: [1, 2], stores: [0] },
    { name: 'run-chain3', of: 0, outcome: done('3'), publishes: [1], stores: [0] },
    { name: 'run-chain3', of: 1, outcome: done('13'), publishes: [2], stores: [1] },
    { name: 'run-chain-group-task', of: 0, outcome: done('2'), publishes: [1, 2], stores: [1] },
    { name: 'run-chain-fail-mid', of: 1, outcome: boom, publishes: [], stores: [1, 2, 3] },
    { name: 'run-link-error-old', of: 0, outcome: boom, publishes: [1], stores: [] },
    { name: 'run-chord2', of: 0, outcome: done('3'), publishes: [], stores: [0] },
    { name: 'run-unregistered', of: 0, outcome: { kind: 'NotRegistered' }, publishes: [], stores: [0] },
    { name: 'run-expired', of: 0, outcome: { kind: 'Revoked', reason: 'expired' }, publishes: [], stores: [0] },
    { name: 'run-starmap', of: 0, outcome: done('[3,7]'), publishes: [], stores: [0] },
    { name: 'run-hard-time-limit', of: 0, outcome: { kind: 'TimedOut', hardSeconds: 1 }, publishes: [], stores: [0] },
    { name: 'run-revoke-pending', of: 0, outcome: { kind: 'Revoked', reason: 'revoked' }, publishes: [], stores: [1] },
    {
      name: 'run-revoke-terminate',
      of: 0,
      outcome: { kind: 'Revoked', reason: 'terminated' },
      publishes: [],
      stores: [0],
    },
    {
      name: 'run-retry-with-link',
      of: 0,
      outcome: {
        kind: 'Retried',
        exception: { type: 'ValueError', messageText: '["try again"]' as JsonText, module: 'builtins' },
        traceback,
        afterSeconds: 3,
        maxRetries: 3,
        isBare: false,
      },
      publishes: [1],
      stores: [0],
    },
  ])('$name, message $of', ({ name, of, outcome, publishes, stores }) => {
    const message = messageOf(name, of);
    const recorded = capture(name);
    let last = 0;
    const newId = (): string => `00000000-0000-4000-8000-${String((last += 1)).padStart(12, '0')}`;
    const context = { nowMs: Date.UTC(2026, 10, 21), newId, arityOf: () => undefined, origin: 'test' };
    const leavings = settle(message, outcome, context);

    const known = wireText(recorded.messages[of]!.message) + atob((JSON.parse(wireText(recorded.messages[of]!.message)) as { body: string }).body);
    const published = leavings.publish.map((draft) => masked(comparable(unwrapped(encodeTaskMessage(draft))), known));
    expect(published).toEqual(publishes.map((index) => masked(comparable(recorded.messages[index]!.message), known)));

    if (stores.length === 0) return;
    const written = leavings.store.map((meta) => masked(JSON.stringify(JSON.parse(encodeResultMeta(meta))), known));
    const wanted = stores.map((index) => masked(JSON.stringify(recorded.results![index]!.meta), known));
    expect(written.sort()).toEqual(wanted.sort());
  });
});
