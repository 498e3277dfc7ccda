import { stringifyJson } from '#core/base/json-text.ts';
import type { Terminal } from './terminal.ts';

/** A line that a task or its worker wrote. */
export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  /** Of the task that wrote it; absent for the worker's own. */
  readonly task?: string;
  /** Where the task stands in spec. */
  readonly path?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** `[preprocess chain[1].group[0]] read it rows=12` */
export function logLine({ level, message, task, path, fields }: LogEntry, { style }: Pick<Terminal, 'style'>): string {
  const origin =
    task === undefined ? 'arpeggio' : path === undefined ? task : `${task} ${path.replace(/^spec\.?/, '')}`;
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${fieldText(value)}`);
  const colour = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : undefined;
  const text = `${message}${rest.join('')}`;
  return `${style('cyan', `[${origin.trimEnd()}]`)} ${colour === undefined ? text : style(colour, text)}`;
}

function fieldText(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message);
  return typeof value === 'string' && /^[\w./:@-]+$/.test(value) ? value : stringifyJson(value);
}
