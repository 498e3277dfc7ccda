/** Thrown by a task that leaves no result: its message is done with, and no state is stored. A task that catches everything must let it pass. */
export class Ignore extends Error {
  override readonly name = 'Ignore';
}
