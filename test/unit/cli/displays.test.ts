import { describe, expect, test } from 'vitest';
import { graphOf } from '#cli/graph/graph-element.ts';
import { LineDisplay } from '#cli/show/line-display.ts';
import { logLine } from '#cli/show/log-line.ts';
import { shownStates, type ShownState } from '#cli/show/shown-state.ts';
import type { Terminal } from '#cli/show/terminal.ts';
import { TreeDisplay } from '#cli/show/tree-display.ts';

class FakeTerminal implements Terminal {
  readonly isLive = true;
  text = '';
  rows = 24;
  columns = 60;
  out(): void {
    throw new Error('a display writes to stderr only');
  }
  err(text: string): void {
    this.text += text;
  }
  size(): { readonly rows: number; readonly columns: number } {
    return { rows: this.rows, columns: this.columns };
  }
  style(_format: unknown, text: string): string {
    return text;
  }
}

const graph = graphOf({ chain: [{ task: 'load' }, { task: 'train' }], linkError: [{ task: 'told' }] });

function statesOf(states: Readonly<Record<string, ShownState>>) {
  return new Map(Object.entries(states));
}

describe('the lines', () => {
  test('say each change once, with what is known of it', () => {
    const terminal = new FakeTerminal();
    let nowMs = 0;
    let states = statesOf({});
    const display = new LineDisplay({ terminal, graph, see: () => ({ status: {}, states }), nowMs: () => nowMs });
    nowMs = 1_500;
    states = statesOf({ 'spec.chain[0]': { state: 'Running' }, 'spec.chain[1]': { state: 'Waiting' } });
    display.end();
    expect(terminal.text).toBe('   1.50s  Running     load  spec.chain[0]\n');
  });

  test('tell how long a task took, its attempt and its error', () => {
    const terminal = new FakeTerminal();
    const states = statesOf({
      'spec.chain[0]': { state: 'Failed', attempt: 1, message: 'ValueError: no' },
      'spec.chain[1]': { state: 'Skipped' },
      'spec.linkError[0]': { state: 'Skipped' },
    });
    new LineDisplay({ terminal, graph, see: () => ({ status: {}, states }), nowMs: () => 0 }).end();
    expect(terminal.text).toBe(
      '   0.00s  Failed      load  spec.chain[0]  attempt 2  ValueError: no\n   0.00s  Skipped     train  spec.chain[1]\n',
    );
  });
});

describe('the tree', () => {
  const see = () => ({
    status: { state: 'Running', progress: '1/2' },
    states: statesOf({
      spec: { state: 'Active' },
      'spec.chain[0]': { state: 'Succeeded' },
      'spec.chain[1]': { state: 'Running' },
    }),
  });

  test('is drawn over itself, with what tasks write above it', () => {
    const terminal = new FakeTerminal();
    const display = new TreeDisplay({ terminal, title: 'demo', graph, see });
    display.log({ level: 'info', message: 'hello', task: 'load', path: 'spec.chain[0]', fields: { rows: 3 } });
    display.end();
    display.end();
    expect(terminal.text).toBe(
      '\x1b[?25l[load chain[0]] hello rows=3\ndemo  Running  1/2\n● chain\n├─ ✔ load\n├─ ● train\n└─ ○ linkError: told\n\x1b[?25h\x1b[?25h',
    );
  });

  test('never has a line wider than the terminal, nor more lines than it has', () => {
    const terminal = new FakeTerminal();
    terminal.rows = 6;
    terminal.columns = 20;
    const wide = graphOf({ group: Array.from({ length: 50 }, () => ({ task: 'a_task_with_a_very_long_name' })) });
    new TreeDisplay({ terminal, title: 'a title that is far too long', graph: wide, see }).end();
    const lines = terminal.text
      .replaceAll(/\x1b\[\?25[lh]/g, '')
      .trimEnd()
      .split('\n');
    expect(lines.length).toBeLessThan(6);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(20);
    expect(lines.at(-1)).toContain('more');
  });
});

describe('what is shown of an element', () => {
  test('is its state, what status says more, and its failure', () => {
    const shown = shownStates(statesOf({ spec: { state: 'Failed' }, 'spec.group[0]': { state: 'Failed' } }), {
      steps: [{ id: 1, path: 'spec.group[0]', task: 'a', state: 'Lost', attempt: 3 }],
      failures: [{ step: 1, path: 'spec.group[0]', task: 'a', type: 'WorkerLost', message: 'two\nlines' }],
    });
    expect(shown.get('spec')).toEqual({ state: 'Failed' });
    expect(shown.get('spec.group[0]')).toMatchObject({ state: 'Lost', attempt: 3, message: 'WorkerLost: two lines' });
  });

  test('a log line names its task, and fields that are not plain words are quoted', () => {
    const entry = {
      level: 'warn',
      message: 'm',
      task: 't',
      fields: { a: 'x y', b: 'plain', c: [1], e: new Error('no') },
    } as const;
    expect(logLine(entry, new FakeTerminal())).toBe('[t] m a="x y" b=plain c=[1] e="no"');
  });
});
