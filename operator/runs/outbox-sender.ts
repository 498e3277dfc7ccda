import { decodeTaskId } from '#core/base/task-id.ts';
import { slotIndexOf } from '#core/workflow/unfolded.ts';
import type { DrivenRun } from './driven-run.ts';
import { fateOf, type LetterFate } from './letter-fate.ts';
import type { Letter } from './outbox.ts';
import type { RunPorts } from './run-ports.ts';
import { troubleOf, type Trouble } from './trouble.ts';

const shortestRetryMs = 100;
const longestRetryMs = 5_000;
/** Messages of one call; what was sent of a broken one nobody knows. */
const mostAtOnce = 500;

type Ports = Pick<RunPorts, 'broker' | 'store' | 'clock' | 'log'>;

/**
 * Sends what the store keeps of a run for other brokers, beside its turns: a broker that takes nothing holds up only what
 * is for it. In the order in which it was decided, one call at a time; again and again until the broker has it or the slot
 * that it was made for has ended. Which of the two is read from the slots alone, so that whoever takes over does the same.
 */
export class OutboxSender {
  readonly #driver: DrivenRun;
  readonly #ports: Ports;
  #trouble: Trouble | undefined;
  #sending: Promise<void> = Promise.resolve();
  #isBusy = false;
  #stopResting: (() => void) | undefined;
  #retryMs = shortestRetryMs;
  #isAskedAgain = false;
  #isClosed = false;

  constructor(driver: DrivenRun, ports: Ports) {
    this.#driver = driver;
    this.#ports = ports;
  }

  /** Why messages that are to be sent could not be. */
  get trouble(): Trouble | undefined {
    return this.#trouble === undefined || this.#lettersBy('Send').length === 0 ? undefined : this.#trouble;
  }

  /**
   * Sends what there is, unless that is under way, or rests after a failure. `wasWritten`: the store acknowledged a change
   * in this moment, so that what is known of the run is what stands.
   */
  send({ wasWritten }: { readonly wasWritten: boolean }): void {
    if (this.#driver.run.outbox.isEmpty || this.#stopResting !== undefined || !this.#mayGoOn) return;
    if (this.#isBusy) this.#isAskedAgain = true;
    else this.#sending = this.#empty(wasWritten);
  }

  /** What is under way is the last. */
  close(): void {
    this.#isClosed = true;
    this.#stopResting?.();
  }

  /** Resolves when nothing is under way. */
  async ended(): Promise<void> {
    await this.#sending;
  }

  /** While a turn is in the air nobody knows what stands; this is asked for again after it. */
  get #mayGoOn(): boolean {
    return !this.#isClosed && this.#driver.run.isCertain;
  }

  get #mustGoOn(): boolean {
    return this.#isAskedAgain && this.#mayGoOn;
  }

  async #empty(wasWritten: boolean): Promise<void> {
    this.#isBusy = true;
    try {
      let isKnown = wasWritten;
      do {
        this.#isAskedAgain = false;
        if (!isKnown && !(await this.#isAsKnown())) return;
        await this.#pass();
        isKnown = false;
      } while (this.#mustGoOn);
      this.#retryMs = shortestRetryMs;
      this.#tell(undefined);
    } catch (error) {
      this.#tryLater(error);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Whoever leads now may have ended what this operator still takes for due. */
  async #isAsKnown(): Promise<boolean> {
    const { run } = this.#driver;
    const before = run.rev;
    const [found] = await this.#ports.store.revisions([run.key]);
    if (this.#isClosed) return false;
    if (found === before || found === run.rev) return true;
    if (run.isCertain) {
      run.doubt();
      this.#driver.schedule();
    }
    return false;
  }

  async #pass(): Promise<void> {
    const due = this.#lettersBy('Send');
    for (let first = 0; first < due.length && !this.#isClosed; first += mostAtOnce) {
      // Some may have been withheld since.
      const part = due.slice(first, first + mostAtOnce).filter((letter) => this.#fateOf(letter) === 'Send');
      if (part.length > 0) await this.#publish(part);
    }
    if (this.#isClosed) return;
    await this.#drop(this.#lettersBy('Drop'));
    const strays = this.#lettersBy('TakeBack');
    if (strays.length === 0) return;
    await this.#takeBack(strays);
    await this.#drop(strays);
  }

  /** The only place where a message may be published twice: when it was, and the mark was not made. */
  async #publish(letters: readonly Letter[]): Promise<void> {
    for (const letter of letters) letter.progress = 'Leaving';
    try {
      await this.#ports.broker.publish(letters.map(({ entry }) => entry));
    } catch (error) {
      this.#settle(letters, 'Unknown');
      throw error;
    }
    this.#settle(letters, 'Sent');
    await this.#drop(letters);
  }

  #settle(letters: readonly Letter[], progress: Letter['progress']): void {
    const isAwaited = letters.some((letter) => letter.isAwaited);
    for (const letter of letters) {
      letter.progress = progress;
      letter.isAwaited = false;
    }
    if (isAwaited) this.#driver.schedule();
  }

  async #drop(letters: readonly Letter[]): Promise<void> {
    if (letters.length === 0) return;
    const { run } = this.#driver;
    await this.#ports.store.clearOutbox(
      run.key,
      letters.map(({ text }) => text),
    );
    run.outbox.remove(letters);
  }

  /** A call that broke may yet reach its broker: what waits there is removed, and workers are told to run none of it. */
  async #takeBack(letters: readonly Letter[]): Promise<void> {
    const { broker } = this.#ports;
    const left = new Set(letters.map(({ id }) => id));
    for (const [queue, sent] of Map.groupBy(letters, (letter) => this.#queueOf(letter))) {
      if (queue === undefined) continue;
      for (const id of await broker.withdraw(queue, new Set(sent.map(({ id }) => id)))) left.delete(id);
    }
    if (left.size > 0) await broker.revoke(left);
  }

  #queueOf({ id }: Letter): string | undefined {
    const { run } = this.#driver;
    const fields = decodeTaskId(id);
    const isOfRun = fields !== undefined && fields.round === run.identity.round && fields.step < run.plan.steps.length;
    return isOfRun ? run.queueOf(slotIndexOf(run.view.state.maps, fields)) : undefined;
  }

  #lettersBy(fate: LetterFate): readonly Letter[] {
    return this.#driver.run.outbox.letters.filter((letter) => this.#fateOf(letter) === fate);
  }

  #fateOf(letter: Letter): LetterFate {
    return fateOf(letter, this.#driver.run);
  }

  #tryLater(error: unknown): void {
    if (this.#isClosed) return;
    const { clock, log } = this.#ports;
    const { reason, message } = troubleOf(error);
    const why = reason === 'OperatorError' ? message : `the run's messages wait until their broker takes them`;
    const fields = { workflow: this.#driver.run.key.uid, retryMs: this.#retryMs };
    log.warn({ ...fields, error: error instanceof Error ? error.message : String(error) }, why);
    this.#stopResting = clock.after(this.#retryMs, () => {
      this.#stopResting = undefined;
      this.send({ wasWritten: false });
    });
    this.#retryMs = Math.min(longestRetryMs, this.#retryMs * 2);
    this.#tell({ reason, message: reason === 'OperatorError' ? message : `${why}: ${textOf(error)}` });
  }

  #tell(trouble: Trouble | undefined): void {
    const isNews = trouble?.message !== this.#trouble?.message;
    this.#trouble = trouble;
    // A turn shows it, and attends to what was leaving and is not gone.
    if (isNews) this.#driver.schedule();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
