import type { Figure } from './row.ts';

/** One figure with what was measured; `peer` as far as it was. */
export type Measured = { readonly figure: Figure; readonly ours: number; readonly peer?: number };

const head = ['what', 'Arpeggio', 'Celery', 'ratio', 'target', ''] as const;

/** The table as text, its notes below it. */
export function tableText(measured: readonly Measured[]): string {
  const lines = [head, ...measured.map(lineOf)];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const shown = lines.map((line) => line.map((text, column) => pad(text, widths[column] ?? 0, column)).join('  '));
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  const notes = measured.flatMap(({ figure }) =>
    figure.note === undefined ? [] : [`  ${figure.what}: ${figure.note}`],
  );
  return [shown[0], rule, ...shown.slice(1), ...(notes.length === 0 ? [] : ['', ...notes])]
    .map((line) => (line ?? '').trimEnd())
    .join('\n');
}

/** Whether the target is reached; undefined where there is none. */
export function isMet({ figure: { target, better }, ours }: Measured): boolean | undefined {
  if (target === undefined) return undefined;
  return better === 'Lower' ? ours < target : ours >= target;
}

/** How many times better than the peer; undefined without one. */
export function ratioOf({ figure: { better }, ours, peer }: Measured): number | undefined {
  if (peer === undefined) return undefined;
  return better === 'Lower' ? peer / ours : ours / peer;
}

function lineOf(measured: Measured): readonly string[] {
  const { figure, ours, peer } = measured;
  const ratio = ratioOf(measured);
  const met = isMet(measured);
  return [
    figure.what,
    amount(ours, figure.unit),
    peer === undefined ? '–' : amount(peer, figure.unit),
    ratio === undefined ? '–' : `${short(ratio)}×`,
    figure.target === undefined
      ? '–'
      : `${figure.better === 'Lower' ? '<' : '≥'} ${amount(figure.target, figure.unit)}`,
    met === undefined ? '' : met ? 'met' : 'NOT MET',
  ];
}

function amount(value: number, unit: Figure['unit']): string {
  return unit === '' ? short(value) : `${short(value)} ${unit}`;
}

function short(value: number): string {
  if (Number.isNaN(value)) return '?';
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(value >= 10 ? 1 : 2).replace(/\.?0+$/, '');
}

function pad(text: string, width: number, column: number): string {
  return column === 0 || column === head.length - 1 ? text.padEnd(width) : text.padStart(width);
}
