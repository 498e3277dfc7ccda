export interface RejectOptions {
  /** Puts the message back, at the end of its queue, instead of failing the task. Default false. */
  readonly requeue?: boolean;
}

/** Thrown by a task that will not have its message. A task that catches everything must let it pass. */
export class Reject extends Error {
  override readonly name = 'Reject';
  readonly requeue: boolean;

  constructor(reason = '', { requeue = false }: RejectOptions = {}) {
    super(reason);
    this.requeue = requeue;
  }
}
