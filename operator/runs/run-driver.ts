import { shardOf } from '#core/base/task-id.ts';
import type { Observation } from '#core/workflow/observation.ts';
import type { RecoveredRun } from '#core/workflow/recover.ts';
import { slotBytes } from '#core/workflow/slots.ts';
import { concludeRun } from './conclude.ts';
import type { LiveRun } from './live-run.ts';
import { RunAlarm } from './run-alarm.ts';
import { OutboxSender } from './outbox-sender.ts';
import type { RunPorts } from './run-ports.ts';
import type { RunSettings } from './run-settings.ts';
import type { Shards } from './shards.ts';
import type { Turn } from './turn.ts';
import { troubleOf, type Trouble } from './trouble.ts';
import { TurnPace } from './turn-pace.ts';
import { lossesTogether, noLosses, writeBack, type Losses } from './write-back.ts';

const shortestRetryMs = 100;
const longestRetryMs = 5_000;

/** Why a run stands still for good, in a condition's words. */
export interface Stopped {
  readonly reason: 'DataLost' | 'SpecChanged' | 'UnknownPlanVersion' | 'Deleted';
  readonly message: string;
}

export interface RunDriverOptions {
  readonly run: LiveRun;
  readonly shards: Shards;
  readonly ports: RunPorts;
  /** Told when there may be something new to show. */
  readonly onChange: () => void;
  readonly stopped?: Stopped | undefined;
  /** What it cost to take the run up. Default nothing. */
  readonly losses?: Losses | undefined;
  /** Messages of a further round wait until `release` names it: whoever orders the run notes it first. Default false. */
  readonly notesRounds?: boolean | undefined;
}

/** Turns one run for as long as there is something to do, one turn at a time, and tries again when the store is away. */
export class RunDriver {
  readonly run: LiveRun;
  stopped: Stopped | undefined;
  losses: Losses;
  /** Why it stood still when it was last looked at. */
  #trouble: Trouble | undefined;
  readonly #alarm: RunAlarm;
  readonly #sender: OutboxSender;
  readonly #pace: TurnPace;
  readonly #options: RunDriverOptions;
  #released = false;
  #concluded = false;
  #storedRound: number | undefined;
  #scheduled = false;
  #busy = false;
  #isClosed = false;
  #retryMs = shortestRetryMs;
  #driving: Promise<void> = Promise.resolve();

  constructor(options: RunDriverOptions) {
    this.#options = options;
    this.run = options.run;
    this.stopped = options.stopped;
    this.losses = options.losses ?? noLosses;
    this.#alarm = new RunAlarm(this, options.ports);
    this.#sender = new OutboxSender(this, options.ports);
    this.#pace = new TurnPace(options.ports.clock);
  }

  /** Why it stands still, or sends nothing; undefined once it goes on again. */
  get trouble(): Trouble | undefined {
    return this.#trouble ?? this.#sender.trouble;
  }

  /** All is done and the outcome stands in the result store. */
  get isConcluded(): boolean {
    return this.#concluded;
  }

  /** Whether the next look may find something else. */
  get isGoingOn(): boolean {
    return this.stopped === undefined && (this.run.view.evaluation.stage !== 'Ended' || this.run.mayTryAgain);
  }

  /** What it is told changes nothing for now. */
  get standsStill(): boolean {
    return this.stopped !== undefined || !this.#released || this.#trouble !== undefined;
  }

  /** Stops at once, for good: another operator may go on with the run. */
  stop(stopped: Stopped): void {
    this.stopped = stopped;
    this.close();
  }

  /** Does nothing by itself any more: its run has ended, or is another's. */
  close(): void {
    this.#isClosed = true;
    this.#alarm.close();
    this.#sender.close();
    this.run.drop();
  }

  /** What the Workflow asks for now; repeats change nothing. */
  configure(settings: RunSettings): void {
    if (isSame(settings, this.run.settings)) return;
    this.run.settings = settings;
    this.schedule();
  }

  see(observation: Observation): void {
    if (this.#isOver) return;
    this.run.see(observation);
    this.schedule();
  }

  /**
   * From now on the run may publish in this round: its home and round are noted where another operator finds them. Repeats
   * change nothing. Default: whatever round there is.
   */
  release(round?: number): void {
    const latest = this.#options.notesRounds === true ? (round ?? this.run.identity.round) : Infinity;
    if (this.#released && this.run.releasedRound >= latest) return;
    this.#released = true;
    this.run.releasedRound = latest;
    this.schedule();
  }

  /** Looks again soon: at what was seen, or at routes that may have changed. */
  schedule(): void {
    if (this.#scheduled || !this.#released || this.#isOver) return;
    this.#scheduled = true;
    if (!this.#busy) this.#driveSoon();
  }

  /** Resolves when what was under way when it was stopped is done. */
  async ended(): Promise<void> {
    await this.#driving;
    await this.#sender.ended();
  }

  /** Places in the window and room for what is heard may be its successor's by now, which has the same UID. */
  get #isOver(): boolean {
    return this.#isClosed || this.stopped !== undefined;
  }

  #driveSoon(): void {
    this.#busy = true;
    this.#pace.begin(() => {
      if (this.#mayGoOn()) this.#driving = this.#drive();
    });
  }

  async #drive(): Promise<void> {
    try {
      while (this.#mayGoOn()) {
        this.#scheduled = false;
        await this.#turn();
        if (this.#pace.rests(this.run.view.state.slots.length / slotBytes)) break;
      }
      await this.#conclude();
      if (this.isGoingOn) await this.#alarm.attend();
      this.#trouble = undefined;
      this.#retryMs = shortestRetryMs;
    } catch (error) {
      this.#tryLater(error);
    } finally {
      this.#busy = false;
      this.#options.onChange();
    }
    if (this.#mayGoOn()) this.#driveSoon();
  }

  #mayGoOn(): boolean {
    return this.#scheduled && !this.#isOver;
  }

  async #turn(): Promise<void> {
    const { shards } = this.#options;
    this.run.outbox.beginTurn();
    const turn = await this.run.turn(shards.fence(shardOf(this.run.key.run48)));
    if (turn.did === 'Something') this.#scheduled = true;
    if (turn.did === 'Refused') await this.#refused(turn);
    if (turn.did === 'Lost') await this.#mend(turn.recovered);
    this.#sender.send({ wasWritten: 'wasWritten' in turn && turn.wasWritten });
  }

  async #refused({ refusal }: Extract<Turn, { did: 'Refused' }>): Promise<void> {
    const { ports, shards } = this.#options;
    if (refusal === 'StaleFence') {
      if (!ports.isLeading()) return;
      await shards.take(shardOf(this.run.key.run48));
    }
    this.#scheduled = true;
  }

  /** Its Redis lost data of the run, which goes on from what is written back. */
  async #mend(recovered: RecoveredRun | undefined): Promise<void> {
    if (recovered === undefined) {
      this.stop({ reason: 'DataLost', message: 'the Redis of the run lost its data once more than there are rounds' });
      return;
    }
    const { ports, shards } = this.#options;
    const written = await writeBack(this.run.key, recovered, { ...ports, shards });
    if (written === 'AnotherLeads') return;
    this.losses = lossesTogether(this.losses, written.losses);
    this.run.take(written.stored);
    this.#scheduled = true;
  }

  /** Once: the outcome is heard like any result, and must not be an occasion to store it again. */
  async #conclude(): Promise<void> {
    const { stage } = this.run.view.evaluation;
    const { round } = this.run.identity;
    if (this.#isOver) return;
    if (stage === 'Running') {
      this.#storedRound = undefined;
      this.#concluded = false;
      return;
    }
    if (this.#storedRound !== round) {
      const lost = await concludeRun(this.run, this.#options.ports);
      if (lost.size > 0) return this.#mend(this.run.recovered(lost));
    }
    this.#storedRound = round;
    this.#concluded = stage === 'Ended' && !this.run.mayTryAgain;
    if (this.#concluded) this.run.drop();
  }

  #tryLater(error: unknown): void {
    const { ports } = this.#options;
    this.#trouble = troubleOf(error);
    const isDefect = this.#trouble.reason === 'OperatorError';
    const fields = {
      workflow: this.run.key.uid,
      retryMs: this.#retryMs,
      ...(isDefect ? { err: error } : this.#trouble),
    };
    ports.log.warn(fields, isDefect ? 'a turn of the run failed; trying again' : 'the run waits for its store');
    ports.clock.after(this.#retryMs, () => {
      this.schedule();
    });
    this.#retryMs = Math.min(longestRetryMs, this.#retryMs * 2);
  }
}

/** What does not change while a run lives is not compared. */
function isSame(one: RunSettings, other: RunSettings): boolean {
  const keys = ['suspended', 'cancel', 'deadlineMs', 'retryFailed'] as const;
  return keys.every((key) => one[key] === other[key]);
}
