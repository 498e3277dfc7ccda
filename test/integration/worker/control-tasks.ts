import { existsSync } from 'node:fs';
import { setTimeout as rest } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { current, Ignore, Reject, task } from 'arpeggio';

export function add(x: number, y: number): number {
  return x + y;
}

export function ident(value: unknown): unknown {
  return value;
}

export function picky(value: number): number {
  if (value < 0) throw new RangeError(`${value} is below zero`);
  return value;
}

/** Its id, its name and its argument, as each call of a map sees them. */
export function who(value: unknown): unknown[] {
  const { id, task: name } = current().request;
  return [id, name, value];
}

export const inline_ident = task({ inline: true }, async (value: unknown) => Promise.resolve(value));

/** Cannot be asked anything. */
export async function stubborn(): Promise<never> {
  await current().updateState('BUSY');
  for (;;);
}

/** Hears that it shall stop, and ends well. */
export async function graceful(): Promise<string> {
  const { signal, updateState } = current();
  await updateState('BUSY');
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  return (signal.reason as Error).name;
}

/** Does nothing when it is told to stop, in the main thread, and speaks up when nobody listens any more. */
export const deaf = task({ inline: true }, async () => {
  const { updateState, signal } = current();
  await updateState('BUSY');
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  void updateState('LATE');
  return 'late';
});

/** Ends with what the soft limit throws. */
export async function soft(): Promise<never> {
  const { signal } = current();
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  signal.throwIfAborted();
  throw new Error('it was not aborted');
}

/** Says a lot, waits for none of it, and fails. */
export function chatty(): never {
  const { updateState } = current();
  for (let done = 0; done < 200; done += 1) void updateState('PROGRESS', { done });
  throw new Error('spent');
}

/** Leaves something behind that speaks later, when the thread runs another task. */
export function haunting(): string {
  const { updateState, log } = current();
  setTimeout(() => {
    log.info('a voice from before');
    void updateState('HAUNTED');
  }, 300);
  return 'done';
}

/** Says that it waits, and ends when the file is there. */
export async function held(file: string): Promise<string> {
  await current().updateState('PROGRESS', { waits: true });
  while (!existsSync(file)) await rest(20);
  return 'rested';
}

/** In which thread it is run. */
export function thread(): number {
  return threadId;
}

export async function nap(ms: number): Promise<string> {
  await current().updateState('PROGRESS', { napping: ms });
  await new Promise((resolve) => setTimeout(resolve, ms));
  return 'rested';
}

export function on_fail(request: { id: string }, exc: { exc_type: string }, traceback: string | null): unknown[] {
  return [request.id, exc.exc_type, traceback];
}

export function ignores(): never {
  throw new Ignore();
}

export function rejects(): never {
  throw new Reject('not mine');
}

export function requeued(): string {
  if (!current().request.redelivered) throw new Reject('not yet', { requeue: true });
  return 'at last';
}
