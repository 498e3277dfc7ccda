import { parseArgs, type ParseArgsConfig } from 'node:util';
import { parseDurationMs } from '#core/base/duration.ts';
import { nearestWord } from '#core/base/nearest-word.ts';
import { Unusable } from './exit-code.ts';

const outputs = ['json', 'text', 'status'] as const;
export type Output = (typeof outputs)[number];
const graphs = ['text', 'mermaid', 'none'] as const;
export type GraphStyle = (typeof graphs)[number];

/** What is to be done, as the command line says. */
export type Command =
  | { readonly does: 'Help'; readonly about: string | undefined }
  | { readonly does: 'Version' }
  | RunCommand
  | CheckCommand;

export interface RunCommand {
  readonly does: 'Run';
  /** `-` for stdin. */
  readonly file: string;
  readonly tasks: readonly string[];
  /** Of the Workflow, where the file holds several. */
  readonly name: string | undefined;
  /** Tasks at once; undefined for as many as there are processors. */
  readonly concurrency: number | undefined;
  readonly output: Output;
  readonly isQuiet: boolean;
  readonly mayColour: boolean;
  readonly timeoutMs: number | undefined;
}

export interface CheckCommand {
  readonly does: 'Check';
  readonly files: readonly string[];
  readonly tasks: readonly string[];
  readonly graph: GraphStyle;
  readonly output: 'text' | 'json';
  readonly mayColour: boolean;
}

const text = { type: 'string' } as const;
const many = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean' } as const;
const shared = {
  help: { type: 'boolean', short: 'h' },
  tasks: { ...many, short: 't' },
  output: { ...text, short: 'o' },
  'no-color': flag,
} as const;
const runOptions = {
  ...shared,
  name: { ...text, short: 'n' },
  concurrency: { ...text, short: 'c' },
  quiet: { ...flag, short: 'q' },
  timeout: text,
} as const;
const checkOptions = { ...shared, graph: { ...text, short: 'g' } } as const;
const commands = ['run', 'check', 'help', 'version'];

/** Throws `Unusable`, whose message names the argument and the way out. */
export function parseCommand(argv: readonly string[]): Command {
  const [word, ...rest] = argv;
  switch (word) {
    case undefined:
    case '-h':
    case '--help':
      return { does: 'Help', about: undefined };
    case 'help':
      return { does: 'Help', about: rest[0] };
    case '-v':
    case '--version':
    case 'version':
      return { does: 'Version' };
    case 'run':
      return runCommand(rest);
    case 'check':
      return checkCommand(rest);
    default:
      throw new Unusable(unknownCommand(word));
  }
}

function unknownCommand(word: string): string {
  if (/\.(ya?ml|json)$/.test(word)) return `${word} is a file: say arpeggio run ${word}, or arpeggio check ${word}`;
  const near = nearestWord(word, commands);
  return `there is no command ${word}; ${near === undefined ? `there are ${commands.join(', ')}` : `did you mean ${near}?`}`;
}

function runCommand(argv: readonly string[]): Command {
  const { values, positionals } = parsed('run', argv, runOptions);
  if (values.help === true) return { does: 'Help', about: 'run' };
  const [file, ...others] = positionals;
  if (file === undefined) throw new Unusable('arpeggio run needs a FILE, or - for stdin');
  if (others.length > 0)
    throw new Unusable(`arpeggio run takes one FILE and was given ${positionals.join(', ')}; run them one by one`);
  return {
    does: 'Run',
    file,
    tasks: values.tasks ?? [],
    name: values.name,
    concurrency: wholeNumber('--concurrency', values.concurrency),
    output: oneOf('--output', values.output, outputs) ?? 'json',
    isQuiet: values.quiet === true,
    mayColour: values['no-color'] !== true,
    timeoutMs: durationMs('--timeout', values.timeout),
  };
}

function checkCommand(argv: readonly string[]): Command {
  const { values, positionals } = parsed('check', argv, checkOptions);
  if (values.help === true) return { does: 'Help', about: 'check' };
  if (positionals.length === 0) throw new Unusable('arpeggio check needs at least one FILE, or - for stdin');
  return {
    does: 'Check',
    files: positionals,
    tasks: values.tasks ?? [],
    graph: oneOf('--graph', values.graph, graphs) ?? 'text',
    output: oneOf('--output', values.output, ['text', 'json'] as const) ?? 'text',
    mayColour: values['no-color'] !== true,
  };
}

function parsed<O extends NonNullable<ParseArgsConfig['options']>>(
  command: string,
  argv: readonly string[],
  options: O,
) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const word = /^Unknown option '(-+)([^']*)'/.exec(message);
    const near = word?.[1] === '--' ? nearestWord(word[2] ?? '', Object.keys(options)) : undefined;
    const first = message.split(/\. (?:To specify|Did you)/)[0] ?? message;
    const wayOut = near === undefined ? `arpeggio ${command} --help lists the options` : `did you mean --${near}?`;
    throw new Unusable(`${first}; ${wayOut}`);
  }
}

function oneOf<T extends string>(option: string, value: string | undefined, known: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = known.find((each) => each === value);
  if (found !== undefined) return found;
  throw new Unusable(`${option} is ${value}; give ${known.slice(0, -1).join(', ')} or ${known.at(-1) ?? ''}`);
}

const mostConcurrent = 1_000;

function wholeNumber(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (/^[0-9]+$/.test(value) && number >= 1 && number <= mostConcurrent) return number;
  throw new Unusable(`${option} is ${value}; give a whole number from 1 to ${mostConcurrent}`);
}

function durationMs(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = parseDurationMs(value);
  if (ms !== undefined && ms > 0) return ms;
  throw new Unusable(`${option} is ${value}; give a duration such as 90s, 10m or 1h30m`);
}
