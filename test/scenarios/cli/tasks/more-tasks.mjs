import { setTimeout as wait } from 'node:timers/promises';
import { current, task } from 'arpeggio';

/** Stops when it is asked to. */
export async function polite() {
  await wait(60_000, undefined, { signal: current().signal });
}

/** Stops when it is asked to, in its own time. */
export async function leisurely() {
  await wait(60_000, undefined, { signal: current().signal }).catch(() => wait(500));
  throw new Error('stopped');
}

/** Never stops by itself. */
export function rude() {
  for (;;);
}

let calls = 0;
export function third_time() {
  calls += 1;
  if (calls < 3) throw new RangeError(`call ${calls}`);
  return calls;
}

export function talkative(word) {
  console.log('said', word);
  console.error('cried', word);
  current().log.info('logged', { word });
  return word;
}

export const talkative_inline = task({ inline: true }, async (word) => {
  await wait(1);
  console.log('said inline', word);
  return word;
});

export function numbers() {
  return [1, 2, 3];
}

export function twice(x) {
  return 2 * x;
}

export function on_fail(request, exc) {
  console.log('on_fail', request.task, exc.exc_type);
}

export function tidy({ state }) {
  console.log('tidy after', state);
}

export const word = () => 'a word';
export const large = () => 2n ** 60n + 1n;
