/** Who had a message last, as far as anyone said so. */
export interface Holder {
  readonly nodename: string;
  /** The process that had this name then is the one that held it. */
  readonly atMs: number;
}

/** Of a message that is in no list, in nobody's books and with no worker that answered. */
export interface Absent {
  readonly holder: Holder | undefined;
  /** The last moment at which nobody can have begun it: its run began then, it was sent, or seen to wait. */
  readonly unbegunAtMs: number;
  /** An earlier attempt of it vanished, too. */
  readonly wasLost: boolean;
}

/** Every worker of the broker, when all of them have answered. */
export interface Workers {
  /** When their processes began, by nodename. */
  readonly startedAtMs: ReadonlyMap<string, number>;
  /** Who said that they leave, and when: they go on with what they run, and answer nothing. */
  readonly leftAtMs: ReadonlyMap<string, number>;
  /** Who said so before this was perhaps not heard, and may go on with what it runs; undefined when nobody does any more. */
  readonly unheardUntilMs: number | undefined;
  /** Since when they have been the same processes, and no others. */
  readonly sameSinceMs: number;
}

/**
 * What became of it. `Lost`: its holder is gone, or nobody knows who held it; it may run again. `NoResult`: its holder
 * lives, is done with it, and stored nothing; whoever held it, when it vanished again and all who were there live. `Unknown`: someone who does not answer may hold it still.
 */
export type Fate = 'Unknown' | 'Lost' | 'NoResult';

export function fateOf({ holder, ...absent }: Absent, workers: Workers): Fate {
  if (holder === undefined) return fateOfUnheld(absent, workers);
  const { startedAtMs, leftAtMs, unheardUntilMs = -Infinity } = workers;
  if (leftAtMs.has(holder.nodename)) return 'Unknown';
  const startedMs = startedAtMs.get(holder.nodename);
  if (startedMs === undefined) return holder.atMs < unheardUntilMs ? 'Unknown' : 'Lost';
  // A name says little: a killed worker that was started again has it too.
  return startedMs <= holder.atMs ? 'NoResult' : 'Lost';
}

/** Someone may have removed it once. */
function fateOfUnheld(
  { unbegunAtMs, wasLost }: Omit<Absent, 'holder'>,
  { leftAtMs, unheardUntilMs = -Infinity, sameSinceMs }: Omit<Workers, 'startedAtMs'>,
): Fate {
  const mayHaveIt = [...leftAtMs.values()].some((leftMs) => leftMs >= unbegunAtMs) || unbegunAtMs < unheardUntilMs;
  if (mayHaveIt) return 'Unknown';
  return wasLost && sameSinceMs <= unbegunAtMs ? 'NoResult' : 'Lost';
}
