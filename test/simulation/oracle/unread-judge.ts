import type { FaultKind } from '../kernel/faults.ts';
import { Actor } from '../kernel/actor.ts';
import type { Surroundings } from '../surroundings.ts';
import { Violation } from './violation.ts';

export interface UnreadOptions {
  readonly lastReadAtMs: () => number;
  /** The numbers that stand in statuses now; empty where none is shown. */
  readonly shown: () => string;
}

const lookEveryMs = 5_000;
/** A poll, an answer that never comes, and a status that waits its turn. */
const unreadMs = 20_000;

/** With these a status may be late for reasons of its own. */
const delaying: readonly FaultKind[] = [
  ...(['RequestLost', 'AnswerLost', 'Slow', 'ApiConflict', 'ApiFails', 'ApiThrottles', 'ApiOutage'] as const),
  ...(['WatchLag', 'WatchCut', 'WatchSilent', 'WatchExpired'] as const),
];

/** P14 while nothing happens: numbers that nobody can read any more go from the statuses, where one operator leads in peace. */
export class UnreadJudge {
  readonly #world: Surroundings;
  readonly #options: UnreadOptions;
  readonly #actor = new Actor('judge');
  #leader = '';
  #sinceMs = 0;

  constructor(world: Surroundings, options: UnreadOptions) {
    this.#world = world;
    this.#options = options;
  }

  /** Has a look now and then, to the end of the world. */
  begin(): void {
    this.#world.timeline.timer(lookEveryMs, this.#actor, 'judge looks', () => {
      this.#look();
      this.begin();
    });
  }

  #look(): void {
    const { timeline, operators, faults, oracle } = this.#world;
    const { nowMs } = timeline;
    const leading = operators.filter(({ isLeading, actor }) => isLeading && actor.state === 'Alive');
    const leader = leading.length === 1 ? leading[0]!.actor.name : '';
    if (leader !== this.#leader) this.#sinceMs = nowMs;
    this.#leader = leader;
    const unread = nowMs - Math.max(this.#sinceMs, this.#options.lastReadAtMs());
    if (leader === '' || unread < unreadMs) return;
    if (faults.struck.some(({ key }) => delaying.some((kind) => key.startsWith(kind)))) return;
    const shown = this.#options.shown();
    if (shown === '') return;
    oracle.fail(new Violation('P14', `${shown} stands in a status, and nobody has read it for ${unread} ms`));
  }
}
