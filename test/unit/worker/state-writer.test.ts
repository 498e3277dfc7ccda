import { expect, test } from 'vitest';
import { StateWriter } from '#worker/runtime/state-writer.ts';

/** A store whose writes end when the test says so. */
function heldStore() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const writer = new StateWriter((text) => {
    begun.push(text);
    return new Promise((resolve) => ends.push(resolve));
  });
  return { begun, writer, endOne: () => ends.shift()?.() };
}

test('states are stored in order, and one that was not begun gives way to the next', async () => {
  const { begun, writer, endOne } = heldStore();
  const written = ['a', 'b', 'c'].map((text) => writer.write(text));
  expect(begun).toEqual(['a']);
  await written[1];
  endOne();
  await written[0];
  expect(begun).toEqual(['a', 'c']);
  endOne();
  await written[2];
});

test('when it is closed, what is on its way is waited for, and nothing more is stored', async () => {
  const { begun, writer, endOne } = heldStore();
  void writer.write('a');
  const waiting = writer.write('b');
  let isClosed = false;
  const closed = writer.close()?.then(() => (isClosed = true));
  await waiting;
  await writer.write('c');
  expect(isClosed).toBe(false);
  endOne();
  await closed;
  expect(begun).toEqual(['a']);
});
