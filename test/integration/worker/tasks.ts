import { existsSync } from 'node:fs';
import { setTimeout as rest } from 'node:timers/promises';
import { current, Ignore, Reject, task } from 'arpeggio';

export class Boom extends Error {
  override readonly name = 'Boom';
}

export function add(x: number, y: number): number {
  return x + y;
}

export function boom(): never {
  throw new Boom('kaput');
}

export function greet(name: string, { greeting }: { greeting: string }): string {
  return `${greeting} ${name}`;
}

export function ignores(): never {
  throw new Ignore();
}

export function rejects(): never {
  throw new Reject('not mine');
}

/** As Celery's documentation has it: back once, and then taken. */
export function requeues(): string {
  const { redelivered } = current().request;
  if (!redelivered) throw new Reject('not yet', { requeue: true });
  return 'at last';
}

/** Blocks its thread. */
export function spin(ms: number): string {
  const end = Date.now() + ms;
  while (Date.now() < end);
  return 'spun';
}

/** Ends when the file is there. */
export async function waits(file: string): Promise<string> {
  while (!existsSync(file)) await rest(20);
  return 'waited';
}

export function die(): void {
  process.exit(3);
}

export function on_fail(request: { id: string }, exc: { exc_type: string }, traceback: string | null): unknown[] {
  return [request.id, exc.exc_type, typeof traceback];
}

export const echo = task({ name: 'demo.echo', inline: true }, async (value: unknown) => Promise.resolve(value));

export const flaky = task({ defaultRetryDelay: 0 }, () => {
  const context = current();
  return context.request.retries < 2 ? context.retry() : context.request.retries;
});

export const progress = task({ trackStarted: true }, async () => {
  await current().updateState('PROGRESS', { done: 1 });
  return 'done';
});

/** Runs until it is asked to stop, and then fails. */
export async function until_stopped(): Promise<never> {
  const { signal } = current();
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  throw new Boom((signal.reason as Error).name);
}
