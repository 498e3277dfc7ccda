import { describe, expect, test } from 'vitest';
import { StalledQueues } from '#operator/depths/stalled-queues.ts';
import type { DepthChange } from '#operator/depths/depth-poller.ts';

const ref = { namespace: 'ml', name: 'arpeggio' };
const queue = { ref, queueName: 'gpu' };

interface Read {
  readonly afterMs: number;
  /** Undefined: the depth cannot be read. */
  readonly waiting?: number;
  readonly taken?: number;
}

/** What is said of the queue after these readings, and how often anybody was told. */
function seenAfter(reads: readonly Read[]): { readonly isStalled: boolean | undefined; readonly told: number } {
  let nowMs = 0;
  let told = 0;
  let hear: (change: DepthChange) => void = () => undefined;
  const stalled = new StalledQueues({ subscribe: (listener) => ((hear = listener), () => true) }, () => nowMs);
  stalled.subscribe(() => (told += 1));
  for (const { afterMs, waiting, taken = 0 } of reads) {
    nowMs += afterMs;
    const reading = {
      waiting: new Map([['gpu', waiting ?? 0]]),
      held: new Map<string, number>(),
      taken: [{ podUid: 'p', incarnation: 1, queue: 'gpu', count: taken }],
      leases: [],
    };
    hear({ ref, ...(waiting === undefined ? {} : { reading }), queues: new Set(), podUids: new Set() });
  }
  const isStalled = stalled.isStalled(queue);
  expect(stalled.in('ml').length, 'the list agrees').toBe(isStalled === true ? 1 : 0);
  expect(stalled.in('other')).toEqual([]);
  return { isStalled, told };
}

const empty: Read = { afterMs: 0, waiting: 0 };

describe('a queue is stalled', () => {
  test.each<{ why: string; reads: readonly Read[]; isStalled: boolean | undefined; told: number }>([
    {
      why: 'when its messages wait for ten seconds and nobody takes one',
      reads: [empty, { afterMs: 1, waiting: 2 }, { afterMs: 10_000, waiting: 2 }],
      isStalled: true,
      told: 1,
    },
    {
      why: 'still, when more come then',
      reads: [empty, { afterMs: 1, waiting: 2 }, { afterMs: 10_000, waiting: 2 }, { afterMs: 1, waiting: 3 }],
      isStalled: true,
      told: 1,
    },
    {
      why: 'not while it grows: of what comes, some may be taken',
      reads: [empty, ...Array.from({ length: 12 }, (_, at) => ({ afterMs: 1_000, waiting: 15 * (at + 1) }))],
      isStalled: false,
      told: 0,
    },
    {
      why: 'not before',
      reads: [empty, { afterMs: 1, waiting: 2 }, { afterMs: 9_999, waiting: 2 }],
      isStalled: false,
      told: 0,
    },
    { why: 'not while it is empty', reads: [empty, { afterMs: 60_000, waiting: 0 }], isStalled: false, told: 0 },
    {
      why: 'not while a worker of ours has a message of it',
      reads: [empty, { afterMs: 1, waiting: 2, taken: 1 }, { afterMs: 60_000, waiting: 2, taken: 1 }],
      isStalled: false,
      told: 0,
    },
    {
      why: 'not while its messages become fewer, whoever takes them',
      reads: [empty, { afterMs: 1, waiting: 9 }, { afterMs: 8_000, waiting: 8 }, { afterMs: 8_000, waiting: 8 }],
      isStalled: false,
      told: 0,
    },
    {
      why: 'no longer, when one is taken',
      reads: [empty, { afterMs: 1, waiting: 2 }, { afterMs: 10_000, waiting: 2 }, { afterMs: 1, waiting: 1 }],
      isStalled: false,
      told: 2,
    },
    {
      why: 'perhaps, where it waited before the first look, less than ten seconds ago',
      reads: [
        { afterMs: 0, waiting: 2 },
        { afterMs: 9_000, waiting: 2 },
      ],
      isStalled: undefined,
      told: 0,
    },
    {
      why: 'perhaps, where its depth cannot be read',
      reads: [empty, { afterMs: 1, waiting: 2 }, { afterMs: 10_000, waiting: 2 }, { afterMs: 1 }],
      isStalled: undefined,
      told: 1,
    },
  ])('$why', ({ reads, isStalled, told }) => {
    expect(seenAfter(reads)).toEqual({ isStalled, told });
  });
});
