import { pino } from 'pino';
import type { Log } from '#core/base/log.ts';
import type { Config } from './config.ts';

/** JSON lines on stdout. */
export function openLog({ logLevel, podName }: Pick<Config, 'logLevel' | 'podName'>): Log {
  return pino({
    level: logLevel,
    base: { pod: podName },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeError },
  });
}

interface ErrorFields {
  readonly type: string;
  readonly code?: unknown;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: ErrorFields;
}

/**
 * Of an error only what says where and why. Client libraries hang the whole command onto theirs, arguments and passwords
 * with it, and the API server quotes the values it refuses.
 */
export function describeError(error: unknown): ErrorFields {
  if (!(error instanceof Error)) return { type: typeof error, message: 'something that is no error was thrown' };
  const code = (error as { code?: unknown }).code;
  return {
    type: error.name,
    ...(code === undefined ? {} : { code }),
    message: withoutValues(error.message),
    ...(error.stack === undefined ? {} : { stack: framesOf(error.stack) }),
    ...(error.cause instanceof Error ? { cause: describeError(error.cause) } : {}),
  };
}

function withoutValues(message: string): string {
  return message.replace(/(Invalid|Unsupported|Duplicate) value: .*/s, '$1 value: (not shown)').slice(0, 500);
}

function framesOf(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .slice(0, 8)
    .map((line) => line.trim())
    .join(' | ');
}
