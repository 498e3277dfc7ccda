import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { current } from 'arpeggio';

/** Tasks that the test holds in its hands. Each is called with a name last; files tell what was called and may go on. */

const folder = process.env['ARPEGGIO_TEST_GATES'] ?? '.';

function note(args: readonly unknown[]): string {
  const name = String(args.at(-1));
  appendFileSync(join(folder, 'calls'), `${name} ${current().request.id}\n`);
  return name;
}

const isOpen = (name: string): boolean => existsSync(join(folder, `${name}.open`));

/** Ends when the test opens it, with its name; fails when it is asked to stop. */
export async function gate(...args: unknown[]): Promise<string> {
  const { signal } = current();
  const name = note(args);
  while (!isOpen(name) && !signal.aborted) await rest(20);
  signal.throwIfAborted();
  return name;
}

/** Fails at once unless the test has opened it. */
export function fickle(...args: unknown[]): string {
  const name = note(args);
  if (!isOpen(name)) throw new RangeError(`${name} is not open`);
  return name;
}

/** Tells how far it is, then waits as a gate does. */
export async function reporting(...args: unknown[]): Promise<string> {
  await current().updateState('PROGRESS', { done: 30, total: 100, secret: 'never shown' });
  return gate(...args);
}
