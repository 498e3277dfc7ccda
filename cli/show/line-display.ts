import { durationText } from '#core/base/duration-text.ts';
import type { GraphElement } from '../graph/graph-element.ts';
import { logLine, type LogEntry } from './log-line.ts';
import type { RunDisplay, RunSight } from './run-display.ts';
import { isEnded, markOf, type ShownState } from './shown-state.ts';
import type { Terminal } from './terminal.ts';
import { Throttle } from './throttle.ts';

export interface LineDisplayOptions {
  readonly terminal: Terminal;
  readonly graph: GraphElement;
  readonly see: () => RunSight;
  readonly nowMs: () => number;
}

/** States that say nothing that the next would not say. */
const untold: ReadonlySet<string> = new Set(['Waiting', 'Queued', 'Held', 'Active']);
const gatherMs = 20;

/** One line for each change, for files and pipes: `   1.2s  Succeeded   add  spec.chain[0]  0.3s`. */
export class LineDisplay implements RunDisplay {
  readonly #options: LineDisplayOptions;
  readonly #elements: readonly GraphElement[];
  readonly #told = new Map<string, string>();
  readonly #sinceMs = new Map<string, number>();
  readonly #begunAtMs: number;
  readonly #throttle = new Throttle(gatherMs, () => this.#tell());

  constructor(options: LineDisplayOptions) {
    this.#options = options;
    this.#elements = shownElements(options.graph);
    this.#begunAtMs = options.nowMs();
  }

  show(): void {
    this.#throttle.ask();
  }

  log(entry: LogEntry): void {
    const { terminal } = this.#options;
    terminal.err(`${logLine(entry, terminal)}\n`);
  }

  say(text: string): void {
    this.#options.terminal.err(`${text}\n`);
  }

  end(): void {
    this.#throttle.end();
  }

  #tell(): void {
    const { states } = this.#options.see();
    for (const element of this.#elements) {
      const shown = states.get(element.path);
      if (shown === undefined || untold.has(shown.state) || isNoHandlersTurn(element, shown)) continue;
      const word = [shown.state, shown.attempt, shown.progress].join(' ');
      if (this.#told.get(element.path) === word) continue;
      this.#told.set(element.path, word);
      this.#options.terminal.err(`${this.#line(element, shown)}\n`);
    }
  }

  #line(element: GraphElement, shown: ShownState): string {
    const { terminal, nowMs } = this.#options;
    const now = nowMs();
    const since = this.#sinceMs.get(element.path);
    this.#sinceMs.set(element.path, now);
    const elapsed = `${((now - this.#begunAtMs) / 1_000).toFixed(2)}s`.padStart(8);
    const { colour } = markOf(shown.state);
    const parts = [
      `${elapsed}  ${terminal.style(colour, shown.state.padEnd(10))}`,
      `${calledText(element)}  ${terminal.style('dim', element.path)}`,
      ...(shown.attempt === undefined ? [] : [`attempt ${shown.attempt + 1}`]),
      ...(shown.progress === undefined ? [] : [shown.progress]),
      ...(isEnded(shown.state) && since !== undefined ? [durationText(now - since)] : []),
      ...(shown.message === undefined ? [] : [shown.message]),
    ];
    return parts.join('  ');
  }
}

function calledText({ name, label }: GraphElement): string {
  return name === undefined ? label : `${label} (${name})`;
}

/** What has states that are worth a line: tasks, maps and handlers. */
function shownElements(element: GraphElement): readonly GraphElement[] {
  const below = element.children.flatMap(shownElements);
  return element.kind === 'task' || element.kind === 'map' ? [element, ...below] : below;
}

/** An errback whose occasion never came was not skipped by anyone. */
function isNoHandlersTurn({ role }: GraphElement, { state }: ShownState): boolean {
  return state === 'Skipped' && (role === 'link' || role === 'linkError');
}
