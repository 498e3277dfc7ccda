import { durationText } from '../command.ts';

/** Says what begins and, when it is done, how long it took. */
export async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  console.log(`▸ ${what}`);
  const result = await work();
  console.log(`✔ ${what} (${durationText(performance.now() - started)})`);
  return result;
}
