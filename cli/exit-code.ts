/** How `arpeggio` ends; scripts may rely on these. */
export const exitCodes = {
  /** The workflow succeeded; the file is valid. */
  Succeeded: 0,
  /** The workflow failed. */
  Failed: 1,
  /** The command line, a file or a task module cannot be used; nothing was run. */
  Unusable: 2,
  /** `--timeout` passed; as timeout(1). */
  TimedOut: 124,
  /** Cancelled, by Ctrl-C or by the file's own `cancel`. */
  Cancelled: 130,
  /** Cancelled by SIGTERM. */
  Terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What was asked for cannot be done as asked; the message says why and the way out. */
export class Unusable extends Error {
  override readonly name = 'Unusable';
}
