import { describe, expect, test } from 'vitest';
import { BrokerUnavailable, type Settlement } from '#io/brokers/broker.ts';
import { systemClock } from '#io/system-clock.ts';
import { Settler } from '#worker/runtime/settler.ts';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function settlement(tag: string, queue?: string): Settlement {
  const publications = queue === undefined ? [] : [{ queue, priority: 0, text: `next of ${tag}` }];
  return { publications, results: [{ id: tag, text: 'done' }], deadLetters: [], tag };
}

/** Takes batches whole or not at all, as the broker's script does, and refuses the queue `broken`. */
function consumerThat(taken: Settlement[]) {
  return {
    settle: (batch: readonly Settlement[]): Promise<void> => {
      const isBroken = batch.some(({ publications }) => publications.some(({ queue }) => queue === 'broken'));
      if (isBroken) return Promise.reject(new BrokerUnavailable('no list', { isRefusal: true }));
      taken.push(...batch);
      return Promise.resolve();
    },
  };
}

describe('what tasks leave behind', () => {
  test('is settled for all others when the broker refuses a message of one, which is kept as a dead letter', async () => {
    const taken: Settlement[] = [];
    const settler = new Settler({ consumer: consumerThat(taken), log, after: systemClock.after });
    await Promise.all(
      [settlement('a', 'q'), settlement('b', 'broken'), settlement('c')].map((each) => settler.settle(each)),
    );
    expect(taken.map(({ tag }) => tag).sort()).toEqual(['a', 'b', 'c']);
    const refused = taken.find(({ tag }) => tag === 'b');
    expect(refused?.publications).toEqual([]);
    expect(refused?.results).toEqual([{ id: 'b', text: 'done' }]);
    expect(refused?.deadLetters).toMatchObject([{ queue: 'broken', reason: 'NotSent', text: 'next of b' }]);
    expect(taken.find(({ tag }) => tag === 'a')?.publications).toHaveLength(1);
  });

  test('is settled for all others while the broker refuses the result of one, which is said once with its key', async () => {
    const taken: Settlement[] = [];
    const said: object[] = [];
    const waits: (() => void)[] = [];
    let isOdd = true;
    const settler = new Settler({
      consumer: {
        settle: (batch) => {
          const isRefused = isOdd && batch.some(({ results }) => results.some(({ id }) => id === 'odd'));
          if (isRefused) return Promise.reject(new BrokerUnavailable('WRONGTYPE', { isRefusal: true }));
          taken.push(...batch);
          return Promise.resolve();
        },
      },
      log: {
        ...log,
        warn: (fields, message) => said.push({ ...fields, message }),
        error: (fields) => said.push(fields),
      },
      after: (_delayMs, call) => {
        waits.push(call);
        return () => undefined;
      },
    });
    let isDone = false;
    const odd = settler.settle(settlement('odd', 'q')).then(() => (isDone = true));
    await Promise.all([settlement('a'), settlement('b', 'q')].map((each) => settler.settle(each)));
    await settler.settle(settlement('c'));
    for (let i = 0; i < 3; i += 1) {
      await expect.poll(() => waits.length).toBe(1);
      waits.shift()?.();
    }
    expect([isDone, taken.filter(({ tag }) => tag === 'odd')]).toEqual([false, []]);
    expect(said).toMatchObject([{ keys: ['celery-task-meta-odd'] }, { error: 'WRONGTYPE' }]);
    await expect.poll(() => waits.length).toBe(1);
    isOdd = false;
    waits.shift()?.();
    await odd;
    // Its next step was sent once, and is no dead letter.
    const sent = taken.flatMap(({ publications }) => publications.map(({ text }) => text));
    expect(sent.filter((text) => text === 'next of odd')).toHaveLength(1);
    const stored = taken.find(({ tag }) => tag === 'odd');
    expect(stored).toEqual({ ...settlement('odd'), publications: [] });
  });
});
