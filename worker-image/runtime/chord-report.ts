import { arrayOf, elements, entries } from '#core/base/json-span.ts';
import type { JsonText } from '#core/base/json-text.ts';
import { parsePythonJson } from '#core/base/python-json.ts';
import { celeryException, exceptionRepr } from '#core/celery/exception.ts';
import { decodeString } from '#core/celery/signature.ts';
import type { TaskMessage } from '#core/celery/task-message.ts';
import type { Raised } from '#core/execution/outcome.ts';
import { nothing, type ChordPart, type Leavings } from '#core/execution/settle.ts';
import { settleChord } from '#core/execution/settle-chord.ts';
import type { SettleContext } from '#core/execution/settle-context.ts';
import type { WorkerPorts } from './worker-ports.ts';

export interface ChordEnd {
  readonly leavings: Leavings;
  /** To be called when the leavings are out. */
  readonly finish: () => Promise<void>;
}

/** Counts a member of a native chord; the last one publishes the body, or fails it when a member failed. */
export async function reportChordPart(
  message: TaskMessage,
  part: ChordPart,
  { ports, context }: { readonly ports: Pick<WorkerPorts, 'chords'>; readonly context: SettleContext },
): Promise<ChordEnd> {
  const entry = `[1, ${JSON.stringify(message.id)}, ${JSON.stringify(part.status)}, ${part.resultText}]`;
  const { groupId, index } = part;
  const token = await ports.chords.report({ groupId, taskId: message.id, index, entry });
  if (token === undefined) return { leavings: nothing, finish: () => Promise.resolve() };
  const reports = await ports.chords.entries(groupId);
  const failed = reports.map(failureOf).find((each) => each !== undefined);
  const listText = arrayOf(reports.map((report) => elements(report)?.[3] ?? 'null'));
  const leavings = settleChord(message, part, failed === undefined ? { listText } : { error: failed }, context);
  return { leavings, finish: () => ports.chords.finish(groupId, token) };
}

function failureOf(report: string): Raised | undefined {
  const [, id, status, result] = elements(report) ?? [];
  if (status !== '"FAILURE"' && status !== '"REVOKED"') return undefined;
  const fields = entries(result ?? '');
  const exception = {
    type: decodeString(fields?.get('exc_type')) ?? 'Exception',
    messageText: fields?.get('exc_message') ?? ('[]' as JsonText),
    module: '',
  };
  const text = `Dependency ${String(parsePythonJson(id ?? 'null'))} raised ${exceptionRepr(exception)}`;
  return { exception: celeryException('ChordError', text), traceback: null };
}
