import { parseArgs } from 'node:util';
import type { BenchOptions } from './bench-options.ts';

export const usage = `npm run bench -- [options]
  --only ROW           measure this row only; may be given more than once
  --celery-chord N     members of Celery's largest group and chord (default 1000: its chord takes longer than linear)
  --full               the same as --celery-chord 10000, which takes minutes
  --scale              also the rows that take minutes
  --no-peer            leave Celery out
  --concurrency N      slots of our one worker process (default 64)
  --json FILE          write every figure there, too
  --profile FOLDER     write CPU profiles there: of the operator, the worker and, with written-out, the API server
  --list               print the ids of the rows`;

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Throws `UsageError` for what it does not know. `isList` asks for the ids only. */
export function parseOptions(words: readonly string[]): { readonly options: BenchOptions; readonly isList: boolean } {
  const { values } = parsed(words);
  const members = values.full === true ? 10_000 : positive('--celery-chord', values['celery-chord'] ?? '1000');
  return {
    isList: values.list === true,
    options: {
      only: values.only ?? [],
      celeryMembers: members,
      withHeavy: values.scale === true,
      withPeer: values['no-peer'] !== true,
      concurrency: positive('--concurrency', values.concurrency ?? '64'),
      json: values.json,
      profile: values.profile,
    },
  };
}

function parsed(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        only: { type: 'string', multiple: true },
        'celery-chord': { type: 'string' },
        full: { type: 'boolean' },
        scale: { type: 'boolean' },
        'no-peer': { type: 'boolean' },
        concurrency: { type: 'string' },
        json: { type: 'string' },
        profile: { type: 'string' },
        list: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`${name} is "${text}"; it is a whole number above 0`);
}
