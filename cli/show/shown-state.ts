import type { WorkflowStatus } from '#core/resources/workflow-status.ts';

/** How one element stands, as people are told. */
export interface ShownState {
  readonly state: string;
  readonly attempt?: number;
  /** Of a map, or as the task itself says: `12/100`. */
  readonly progress?: string;
  readonly taskId?: string;
  readonly message?: string;
}

type Row = Omit<ShownState, 'message'> & { readonly path: string };

/** What is known of every element by its path: status tells most, and lists a hundred; of the others their state. */
export function shownStates(
  elements: ReadonlyMap<string, ShownState>,
  { steps = [], handlers = [], failures = [] }: WorkflowStatus,
): ReadonlyMap<string, ShownState> {
  const shown = new Map<string, ShownState>(elements);
  for (const { path, ...row } of [...steps, ...handlers] as readonly Row[]) shown.set(path, row);
  for (const { path, type, message } of failures) {
    const known = shown.get(path) ?? { state: 'Failed' };
    shown.set(path, {
      ...known,
      message: `${type}${message === undefined ? '' : `: ${message.replaceAll(/\s+/g, ' ')}`}`,
    });
  }
  return shown;
}

type Tone = 'good' | 'bad' | 'busy' | 'quiet';

const marks: Readonly<Record<string, { readonly mark: string; readonly tone: Tone }>> = {
  Succeeded: { mark: '✔', tone: 'good' },
  Failed: { mark: '✘', tone: 'bad' },
  Lost: { mark: '✘', tone: 'bad' },
  Continued: { mark: '✘', tone: 'bad' },
  Cancelled: { mark: '■', tone: 'bad' },
  Skipped: { mark: '–', tone: 'quiet' },
  PassedOver: { mark: '»', tone: 'quiet' },
  Running: { mark: '●', tone: 'busy' },
  Active: { mark: '●', tone: 'busy' },
  Queued: { mark: '◌', tone: 'busy' },
  Retrying: { mark: '↻', tone: 'busy' },
  Scheduled: { mark: '◷', tone: 'busy' },
  Held: { mark: '◌', tone: 'quiet' },
  Waiting: { mark: '○', tone: 'quiet' },
};

const colours = { good: 'green', bad: 'red', busy: 'yellow', quiet: 'dim' } as const;

export function markOf(state: string): { readonly mark: string; readonly colour: (typeof colours)[Tone] } {
  const { mark, tone } = marks[state] ?? { mark: '?', tone: 'quiet' };
  return { mark, colour: colours[tone] };
}

const endings: ReadonlySet<string> = new Set([
  'Succeeded',
  'Failed',
  'Lost',
  'Continued',
  'Cancelled',
  'Skipped',
  'PassedOver',
]);

export function isEnded(state: string): boolean {
  return endings.has(state);
}
