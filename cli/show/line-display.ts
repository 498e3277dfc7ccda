import { durationText } from '#core/base/duration-text.ts';
import type { GraphNode } from '../graph/graph-node.ts';
import { logLine, type LogEntry } from './log-line.ts';
import type { RunDisplay, RunSight } from './run-display.ts';
import { isEnded, markOf, type ShownState } from './shown-state.ts';
import type { Terminal } from './terminal.ts';
import { Throttle } from './throttle.ts';

export interface LineDisplayOptions {
  readonly terminal: Terminal;
  readonly graph: GraphNode;
  readonly see: () => RunSight;
  readonly nowMs: () => number;
}

/** States that say nothing that the next would not say. */
const untold: ReadonlySet<string> = new Set(['Waiting', 'Queued', 'Held', 'Active']);
const gatherMs = 20;

/** One line for each change, for files and pipes: `   1.2s  Succeeded   add  spec.chain[0]  0.3s`. */
export class LineDisplay implements RunDisplay {
  readonly #options: LineDisplayOptions;
  readonly #nodes: readonly GraphNode[];
  readonly #told = new Map<string, string>();
  readonly #sinceMs = new Map<string, number>();
  readonly #begunAtMs: number;
  readonly #throttle = new Throttle(gatherMs, () => this.#tell());

  constructor(options: LineDisplayOptions) {
    this.#options = options;
    this.#nodes = shownNodes(options.graph);
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
    for (const node of this.#nodes) {
      const shown = states.get(node.path);
      if (shown === undefined || untold.has(shown.state) || isNoHandlersTurn(node, shown)) continue;
      const word = [shown.state, shown.attempt, shown.progress].join(' ');
      if (this.#told.get(node.path) === word) continue;
      this.#told.set(node.path, word);
      this.#options.terminal.err(`${this.#line(node, shown)}\n`);
    }
  }

  #line(node: GraphNode, shown: ShownState): string {
    const { terminal, nowMs } = this.#options;
    const now = nowMs();
    const since = this.#sinceMs.get(node.path);
    this.#sinceMs.set(node.path, now);
    const elapsed = `${((now - this.#begunAtMs) / 1_000).toFixed(2)}s`.padStart(8);
    const { colour } = markOf(shown.state);
    const parts = [
      `${elapsed}  ${terminal.style(colour, shown.state.padEnd(10))}`,
      `${node.label}  ${terminal.style('dim', node.path)}`,
      ...(shown.attempt === undefined ? [] : [`attempt ${shown.attempt + 1}`]),
      ...(shown.progress === undefined ? [] : [shown.progress]),
      ...(isEnded(shown.state) && since !== undefined ? [durationText(now - since)] : []),
      ...(shown.message === undefined ? [] : [shown.message]),
    ];
    return parts.join('  ');
  }
}

/** What has states that are worth a line: tasks, maps and handlers. */
function shownNodes(node: GraphNode): readonly GraphNode[] {
  const below = node.children.flatMap(shownNodes);
  return node.kind === 'task' || node.kind === 'map' ? [node, ...below] : below;
}

/** An errback whose occasion never came was not skipped by anyone. */
function isNoHandlersTurn({ role }: GraphNode, { state }: ShownState): boolean {
  return state === 'Skipped' && (role === 'link' || role === 'linkError');
}
