import type { Log } from '#core/base/log.ts';
import type { Timers } from '#core/base/timers.ts';
import type { Lease } from '#io/kube/lease.ts';
import { processTimers, rest } from '#io/process-timers.ts';

/** A Lease's times. A holder must give up before others may believe it dead. */
export const leaseTimes = {
  durationSeconds: 4,
  renewEveryMs: 1_000,
  /** So long after it asked for what was its last renewal, the holder stops by itself. */
  renewWithinMs: 3_000,
  /** How often a standby looks; a hand-over takes about as long. */
  retryEveryMs: 250,
} as const;

export interface LeaderGateOptions {
  readonly lease: Lease;
  readonly log: Log;
  /**
   * What only the leader does. Begins when the Lease is won and must end soon after the signal aborts; the Lease is given
   * up only then. Ending by itself gives the Lease up, too.
   */
  readonly lead: (term: AbortSignal) => Promise<void>;
  /** Default: those of the process. */
  readonly timers?: Timers;
}

/** Leads whenever the Lease can be won, until the signal aborts. */
export async function runLeaderGate(options: LeaderGateOptions, signal: AbortSignal): Promise<void> {
  const { timers = processTimers } = options;
  while (!signal.aborted) {
    // Others count from when they saw it renewed, which is after we asked: so we count from there.
    const askedAtMs = timers.nowMs();
    const isOurs = await isAcquired(options);
    // Won so long ago, while we slept, say, that others may have taken it since: then we ask again.
    const isFresh = timers.nowMs() - askedAtMs < leaseTimes.renewWithinMs;
    if (isOurs && isFresh) await runTerm({ ...options, timers, askedAtMs }, signal);
    await hasRested(timers, leaseTimes.retryEveryMs * (0.8 + timers.chance() * 0.4), signal);
  }
}

async function isAcquired({ lease, log }: LeaderGateOptions): Promise<boolean> {
  try {
    return await lease.tryAcquire();
  } catch (error) {
    log.warn({ err: error }, 'cannot read or take the lease; trying again');
    return false;
  }
}

interface TermOptions extends LeaderGateOptions {
  readonly timers: Timers;
  /** When the Lease was asked for that was won. */
  readonly askedAtMs: number;
}

async function runTerm(options: TermOptions, signal: AbortSignal): Promise<void> {
  const { lease, log, lead } = options;
  const term = new AbortController();
  const ended = new AbortController();
  const stop = (): void => term.abort(new Error('the operator is stopping'));
  signal.addEventListener('abort', stop, { once: true });
  log.info({}, 'leading');
  const renewing = keepRenewed(options, term, ended.signal);
  try {
    if (signal.aborted) stop();
    await lead(term.signal);
  } finally {
    signal.removeEventListener('abort', stop);
    term.abort(new Error('the term is over'));
    ended.abort();
    await renewing;
    await lease.release().catch((error: unknown) => log.warn({ err: error }, 'the lease could not be released'));
    log.info({}, 'no longer leading');
  }
}

/** Renews until told that the term has ended; aborts the term when the Lease is lost or was not renewed in time. */
async function keepRenewed(options: TermOptions, term: AbortController, ended: AbortSignal): Promise<void> {
  const { lease, log, timers } = options;
  const ends = new AbortController();
  const lose = (error: unknown): void => {
    log.warn({ err: error }, 'the lease is lost');
    term.abort(error);
    ends.abort();
  };
  // A call that hangs must not keep us leading: time alone ends the term.
  const expireAfter = (sinceMs: number): (() => void) =>
    timers.after(Math.max(0, sinceMs + leaseTimes.renewWithinMs - timers.nowMs()), () =>
      lose(new Error(`the lease was not renewed within ${String(leaseTimes.renewWithinMs)} ms`)),
    );
  let stopExpiry = expireAfter(options.askedAtMs);
  const over = AbortSignal.any([ended, ends.signal]);
  while (await hasRested(timers, leaseTimes.renewEveryMs, over)) {
    const startedAtMs = timers.nowMs();
    try {
      if (!(await lease.renew())) throw new Error('another holder took the lease');
      stopExpiry();
      if (!over.aborted) stopExpiry = expireAfter(startedAtMs);
    } catch (error) {
      if (isRetryable(error)) log.warn({ err: error }, 'the lease could not be renewed; trying again');
      else lose(error);
    }
  }
  stopExpiry();
}

/** Waits; false when the signal aborted meanwhile. */
async function hasRested(timers: Timers, ms: number, signal: AbortSignal): Promise<boolean> {
  return rest(timers, ms, signal).then(
    () => true,
    () => false,
  );
}

function isRetryable(error: unknown): boolean {
  return (error as { retryable?: unknown }).retryable === true;
}
