import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Where a command writes: results to stdout, everything for people to stderr. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Whether stderr is looked at by a person, so that lines may be written over. */
  readonly isLive: boolean;
  size(): { readonly rows: number; readonly columns: number };
  style(format: Format, text: string): string;
}

const usualRows = 24;
const usualColumns = 80;

/** The terminal of this process. Keeps the real streams, whatever is put in their place later. */
export function openTerminal(mayColour: boolean): Terminal {
  const { stdout, stderr } = process;
  // Whoever reads may stop reading, as head does; that is no fault.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  const out = stdout.write.bind(stdout);
  const err = stderr.write.bind(stderr);
  const hasColours = mayColour && stderr.isTTY && stderr.hasColors() && process.env['NO_COLOR'] === undefined;
  return {
    out: (text) => void out(text),
    err: (text) => void err(text),
    isLive: stderr.isTTY && process.env['TERM'] !== 'dumb' && process.env['CI'] === undefined,
    size: () => ({ rows: stderr.rows || usualRows, columns: stderr.columns || usualColumns }),
    style: (format, text) => (hasColours ? styleText(format, text, { validateStream: false }) : text),
  };
}
