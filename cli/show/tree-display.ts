import { stripVTControlCharacters } from 'node:util';
import { rowText, type GraphElement } from '../graph/graph-element.ts';
import { treeRows, type TreeRow } from '../graph/tree-rows.ts';
import { logLine, type LogEntry } from './log-line.ts';
import type { RunDisplay, RunSight } from './run-display.ts';
import { markOf, type ShownState } from './shown-state.ts';
import type { Terminal } from './terminal.ts';
import { Throttle } from './throttle.ts';

export interface TreeDisplayOptions {
  readonly terminal: Terminal;
  readonly title: string;
  readonly graph: GraphElement;
  readonly see: () => RunSight;
  /** Between two drawings. Default 80. */
  readonly pauseMs?: number;
}

const widths = [64, 32, 16, 8, 4, 2, 1];
const urgency: Readonly<Record<string, number>> = { Failed: 3, Lost: 3, Running: 2, Active: 2, Retrying: 2 };

/** A tree that is drawn over itself while the run goes on; what tasks write scrolls by above it. */
export class TreeDisplay implements RunDisplay {
  readonly #options: TreeDisplayOptions;
  readonly #above: string[] = [];
  readonly #throttle: Throttle;
  #drawnLines = 0;

  constructor(options: TreeDisplayOptions) {
    this.#options = options;
    this.#throttle = new Throttle(options.pauseMs ?? 80, () => this.#draw());
    options.terminal.err('\x1b[?25l');
  }

  show(): void {
    this.#throttle.ask();
  }

  log(entry: LogEntry): void {
    this.say(logLine(entry, this.#options.terminal));
  }

  say(text: string): void {
    this.#above.push(text);
    this.show();
  }

  end(): void {
    this.#throttle.end();
    this.#options.terminal.err('\x1b[?25h');
  }

  #draw(): void {
    const { terminal } = this.#options;
    const { rows, columns } = terminal.size();
    const lines = this.#lines(rows - 1).map((line) => cut(line, columns));
    const back = this.#drawnLines === 0 ? '' : `\x1b[${this.#drawnLines}A\x1b[0J`;
    const above = this.#above.splice(0).map((line) => `${line}\n`);
    terminal.err(`${back}${above.join('')}${lines.join('\n')}\n`);
    this.#drawnLines = lines.length;
  }

  #lines(most: number): readonly string[] {
    const { title, terminal, graph, see } = this.#options;
    const { status, states } = see();
    const { colour } = markOf(status.state ?? 'Waiting');
    const head = `${terminal.style('bold', title)}  ${terminal.style(colour, status.state ?? '')}  ${status.progress ?? ''}`;
    const rows = fittingRows(graph, states, most - 1);
    const shown = rows.length <= most - 1 ? rows : rows.slice(0, most - 2);
    const hidden = rows.length - shown.length;
    const rest = hidden === 0 ? [] : [terminal.style('dim', `… ${hidden} more lines`)];
    return [head, ...shown.map((row) => rowLine(row, states, terminal)), ...rest];
  }
}

/** As many children as fit; what failed or runs before the rest. */
function fittingRows(graph: GraphElement, states: ReadonlyMap<string, ShownState>, most: number): readonly TreeRow[] {
  const mattersMore = ({ path }: GraphElement): number => urgency[states.get(path)?.state ?? ''] ?? 0;
  let rows: readonly TreeRow[] = [];
  for (const mostChildren of widths) {
    rows = treeRows(graph, { mostChildren, mattersMore });
    if (rows.length <= most) break;
  }
  return rows;
}

function rowLine(
  { lead, element, hidden }: TreeRow,
  states: ReadonlyMap<string, ShownState>,
  terminal: Terminal,
): string {
  if (element === undefined) return terminal.style('dim', `${lead}… ${hidden ?? 0} more`);
  const shown = states.get(element.path) ?? { state: 'Waiting' };
  const { mark, colour } = markOf(shown.state);
  const details = [
    ...(shown.progress === undefined ? [] : [shown.progress]),
    ...(shown.attempt === undefined ? [] : [`attempt ${shown.attempt + 1}`]),
    ...(shown.message === undefined ? [] : [terminal.style('red', shown.message)]),
  ];
  const text = `${terminal.style('dim', lead)}${terminal.style(colour, mark)} ${rowText(element)}`;
  return details.length === 0 ? text : `${text}  ${details.join('  ')}`;
}

/** Longer lines would wrap, and the next drawing would begin too low. Colours are given up for such a line. */
function cut(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length <= columns ? line : `${plain.slice(0, columns - 1)}…`;
}
