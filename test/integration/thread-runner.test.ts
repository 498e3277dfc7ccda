import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import type { CallSupport } from '#worker/runtime/call-runner.ts';
import { ThreadRunner } from '#worker/runtime/thread-runner.ts';
import type { TaskCall } from '#worker/tasks/call.ts';
import { taskThreadUrl } from '#worker/tasks/task-thread-url.ts';

const [argsText, kwargsText] = ['[]' as JsonText, '{}' as JsonText];
const call = { request: { id: 'i', task: 'load', headers: {} }, argsText, kwargsText } as unknown as TaskCall;

const support: CallSupport = {
  begin: () => undefined,
  updateState: () => Promise.resolve(),
  log: () => undefined,
  signal: new AbortController().signal,
  onStop: () => undefined,
  onCut: () => undefined,
};

test('modules that cannot be loaded again lose the call: the log hears of it, and none of their words', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tasks-'));
  try {
    const tasksPath = join(folder, 'tasks.mjs');
    await writeFile(tasksPath, 'export const load = () => new Promise(() => undefined);');
    const runner = await ThreadRunner.open({ url: taskThreadUrl, tasksPath });
    const first = runner.run(call, support);
    await writeFile(tasksPath, 'throw new Error("secret");');
    const second = await runner.run(call, support);
    expect(second).toMatchObject({ kind: 'Lost', told: 'no thread could be begun (TasksUnusable)' });
    expect('message' in second ? second.message : '').toMatch(/^no thread could be begun: .*secret/s);
    await runner.close();
    expect(await first).toMatchObject({ kind: 'Lost' });
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);
