import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '#core/base/log.ts';
import type { Lease } from '#io/kube/lease.ts';

/** A Lease's times. A holder must give up before others may believe it dead. */
export const leaseTimes = {
  durationSeconds: 4,
  renewEveryMs: 1_000,
  /** Without a renewal for so long, the holder stops by itself. */
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
}

/** Leads whenever the Lease can be won, until the signal aborts. */
export async function runLeaderGate(options: LeaderGateOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (await isAcquired(options)) await runTerm(options, signal);
    await hasRested(leaseTimes.retryEveryMs * (0.8 + Math.random() * 0.4), signal);
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

async function runTerm(options: LeaderGateOptions, signal: AbortSignal): Promise<void> {
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

/** Renews until told that the term has ended; aborts the term when the Lease is lost or cannot be renewed in time. */
async function keepRenewed(options: LeaderGateOptions, term: AbortController, ended: AbortSignal): Promise<void> {
  const { lease, log } = options;
  let renewedAtMs = performance.now();
  while (await hasRested(leaseTimes.renewEveryMs, ended)) {
    const startedAtMs = performance.now();
    try {
      if (!(await lease.renew())) throw new Error('another holder took the lease');
      renewedAtMs = startedAtMs;
    } catch (error) {
      const isOver = !isRetryable(error) || performance.now() - renewedAtMs > leaseTimes.renewWithinMs;
      log.warn({ err: error }, isOver ? 'the lease is lost' : 'the lease could not be renewed; trying again');
      if (!isOver) continue;
      term.abort(error);
      return;
    }
  }
}

/** Waits; false when the signal aborted meanwhile. */
async function hasRested(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}

function isRetryable(error: unknown): boolean {
  return (error as { retryable?: unknown }).retryable === true;
}
