import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { revokedIds } from '#core/celery/control-message.ts';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { earlierDeliveries } from '#core/celery/redelivery.ts';
import type { Broker, Consumer, Delivery, Publication, Settlement } from '#io/brokers/broker.ts';
import type { ResultStore } from '#io/results/result-store.ts';

export interface BrokerUnderTest {
  readonly broker: Broker;
  readonly results: ResultStore;
  readonly consume: (podUid: string, queues: readonly string[]) => Promise<Consumer>;
}

let last = 0;
function fresh(word: string): string {
  last += 1;
  return `${word}${last}`;
}

function message(queue: string, id: string, priority = 0): Publication {
  const [argsText, kwargsText] = ['[1.0]' as JsonText, '{}' as JsonText];
  const text = encodeTaskMessage({
    id,
    task: 'demo.add',
    argsText,
    kwargsText,
    queue,
    priority,
    deliveryTag: `t-${id}`,
  });
  return { queue, priority, text };
}

function idOf({ text }: Delivery): string {
  const decoded = decodeTaskMessage(text);
  if (!decoded.ok) throw new Error(decoded.error.message);
  return decoded.value.id;
}

const nothing: Settlement = { publications: [], results: [], deadLetters: [], tag: undefined };

/** What every broker promises. */
export function brokerSuite(name: string, open: () => Promise<BrokerUnderTest>): void {
  describe(name, () => {
    async function queueOf(count: number) {
      const { broker, results, consume } = await open();
      const [queue, podUid] = [fresh('q'), fresh('pod-')];
      const ids = Array.from({ length: count }, (_each, index) => `${queue}-${index}`);
      await broker.publish(ids.map((id) => message(queue, id)));
      return { broker, results, queue, podUid, ids, consume, worker: await consume(podUid, [queue]) };
    }

    test('hands out what came first, and no more than asked for', async () => {
      const { worker, ids, broker, queue } = await queueOf(5);
      expect((await worker.claim(2)).map(idOf)).toEqual(ids.slice(0, 2));
      expect(await broker.waiting([queue])).toEqual(new Map([[queue, 3]]));
      expect((await worker.claim(100)).map(idOf)).toEqual(ids.slice(2));
      expect(await worker.claim(100)).toEqual([]);
    });

    test('hands out the most urgent first, of all queues', async () => {
      const { broker, consume } = await open();
      const [one, two] = [fresh('q'), fresh('q')];
      const sent = [
        message(one, 'low', 9),
        message(two, 'middle', 5),
        message(one, 'odd', 255),
        message(two, 'high', 0),
      ];
      await broker.publish(sent);
      const worker = await consume(fresh('pod-'), [one, two]);
      expect((await worker.claim(10)).map(idOf)).toEqual(['high', 'middle', 'low', 'odd']);
    });

    test('takes its queues in turn', async () => {
      const { broker, consume } = await open();
      const [one, two] = [fresh('q'), fresh('q')];
      await broker.publish([message(one, 'a1'), message(one, 'a2'), message(two, 'b1'), message(two, 'b2')]);
      const worker = await consume(fresh('pod-'), [one, two]);
      const taken = [];
      for (let index = 0; index < 4; index += 1) taken.push(...(await worker.claim(1)).map(idOf));
      expect(taken).toEqual(['a1', 'b1', 'a2', 'b2']);
    });

    test('gives no two workers the same message', async () => {
      const { queue, ids, consume, worker } = await queueOf(50);
      const other = await consume(fresh('pod-'), [queue]);
      const parts = await Promise.all([worker.claim(30), other.claim(30), worker.claim(30), other.claim(30)]);
      expect(parts.flat().map(idOf).sort()).toEqual(ids.toSorted());
      expect(new Set(parts.flat().map(({ tag }) => tag)).size).toBe(50);
    });

    test('tells who holds what', async () => {
      const { worker, broker, queue } = await queueOf(1);
      const [taken] = await worker.claim(1);
      const mine = (await broker.holdings()).filter(({ incarnation }) => incarnation === worker.incarnation);
      expect(mine).toEqual([{ tag: taken!.tag, incarnation: worker.incarnation, queue }]);
    });

    test('forgets a message once it is settled, and keeps what it left behind', async () => {
      const { worker, broker, results, queue, podUid } = await queueOf(1);
      const [taken] = await worker.claim(1);
      const text = '{"status": "SUCCESS", "result": 1.0}';
      const publications = [message(queue, `${queue}-next`)];
      await worker.settle([{ ...nothing, publications, results: [{ id: `${queue}-r`, text }], tag: taken!.tag }]);
      expect(await results.read([`${queue}-r`])).toEqual([text]);
      expect((await worker.claim(9)).map(idOf)).toEqual([`${queue}-next`]);
      await broker.retire(podUid);
      expect((await broker.waiting([queue])).get(queue)).toBe(1);
    });

    test('keeps a dead letter out of the queue', async () => {
      const { worker, broker, queue } = await queueOf(1);
      const [taken] = await worker.claim(1);
      const deadLetters = [{ queue, reason: 'MalformedBody', message: 'body is not base64', text: taken!.text }];
      await worker.settle([{ ...nothing, deadLetters, tag: taken!.tag }]);
      expect((await broker.waiting([queue])).get(queue)).toBe(0);
      expect((await broker.holdings()).some(({ tag }) => tag === taken!.tag)).toBe(false);
    });

    test('puts what was not begun back in front, in its order and as it was', async () => {
      const { worker, ids } = await queueOf(4);
      const taken = await worker.claim(3);
      await worker.handBack(taken);
      const again = await worker.claim(4);
      expect(again.map(idOf)).toEqual(ids);
      expect(again.slice(0, 3).map(({ text }) => text)).toEqual(taken.map(({ text }) => text));
    });

    test("gives a gone incarnation's messages to the next of the same pod, in order and counted", async () => {
      const { worker, broker, ids, queue, podUid, consume } = await queueOf(3);
      await worker.claim(2);
      const next = await consume(podUid, [queue]);
      expect(await broker.restoreGone(podUid)).toBe(2);
      const again = await next.claim(9);
      expect(again.map(idOf)).toEqual(ids);
      const deliveries = again.map(({ text }) => {
        const decoded = decodeTaskMessage(text);
        return decoded.ok ? earlierDeliveries(decoded.value) : undefined;
      });
      expect(deliveries).toEqual([1, 1, 0]);
      expect(again[0]!.text).toContain('"body"');
    });

    test('a living incarnation keeps what it holds', async () => {
      const { worker, broker, podUid } = await queueOf(2);
      await worker.claim(2);
      expect(await broker.restoreGone(podUid)).toBe(0);
      expect(await broker.restoreGone('nobody')).toBe(0);
    });

    test('a retired pod holds nothing, and to retire it twice moves nothing twice', async () => {
      const { worker, broker, queue, podUid } = await queueOf(2);
      await worker.claim(2);
      expect(await broker.retire(podUid)).toBe(2);
      expect(await broker.retire(podUid)).toBe(0);
      expect((await broker.waiting([queue])).get(queue)).toBe(2);
    });

    test('a restored message keeps its priority', async () => {
      const { broker, consume } = await open();
      const [queue, podUid] = [fresh('q'), fresh('pod-')];
      await broker.publish([message(queue, 'urgent', 0), message(queue, 'later', 6)]);
      await (await consume(podUid, [queue])).claim(2);
      await broker.retire(podUid);
      const worker = await consume(fresh('pod-'), [queue]);
      expect((await worker.claim(1)).map(idOf)).toEqual(['urgent']);
      expect((await worker.claim(1)).map(idOf)).toEqual(['later']);
    });

    test('finds what waits and what is held, and nothing else', async () => {
      const { worker, broker, queue, ids } = await queueOf(3);
      const [held, done] = await worker.claim(2);
      await worker.settle([{ ...nothing, tag: done!.tag }]);
      const found = await broker.find(queue, new Set([...ids, 'unknown']));
      expect([...found].sort()).toEqual([idOf(held!), ids[2]!]);
    });

    test('withdraws what waits and leaves what is held', async () => {
      const { worker, broker, queue, ids } = await queueOf(4);
      await worker.claim(1);
      expect(await broker.withdraw(queue, new Set([ids[0]!, ids[2]!]))).toEqual(new Set([ids[2]]));
      expect((await worker.claim(9)).map(idOf)).toEqual([ids[1], ids[3]]);
    });

    test('finds and withdraws messages of every priority', async () => {
      const { broker, consume } = await open();
      const queue = fresh('q');
      const ids = [0, 3, 5, 6, 9].map((priority) => `${queue}-${priority}`);
      await broker.publish([0, 3, 5, 6, 9].map((priority) => message(queue, `${queue}-${priority}`, priority)));
      expect(await broker.waiting([queue])).toEqual(new Map([[queue, 5]]));
      expect(await broker.find(queue, new Set(ids))).toEqual(new Set(ids));
      expect(await broker.withdraw(queue, new Set([...ids.slice(1), 'unknown']))).toEqual(new Set(ids.slice(1)));
      expect(await broker.withdraw(queue, new Set(ids.slice(1)))).toEqual(new Set());
      expect((await (await consume(fresh('pod-'), [queue])).claim(9)).map(idOf)).toEqual(ids.slice(0, 1));
    });

    test('tells every worker what shall not run', async () => {
      const { broker, consume } = await open();
      const heard: string[][] = [];
      const all = Promise.withResolvers<undefined>();
      for (const name of ['one', 'two']) {
        const worker = await consume(fresh('pod-'), [fresh('q')]);
        await worker.obey(`pool@${name}`, (request) => {
          heard.push([name, request.method, ...revokedIds(request), String(request.arguments['terminate'])]);
          if (heard.length === 2) all.resolve(undefined);
          return undefined;
        });
      }
      await broker.revoke(new Set(['a', 'b']));
      await all.promise;
      expect(heard.sort()).toEqual([
        ['one', 'revoke', 'a', 'b', 'true'],
        ['two', 'revoke', 'a', 'b', 'true'],
      ]);
    });

    test('wakes an idle worker', async () => {
      const { worker, broker, queue } = await queueOf(0);
      const waiting = worker.awaitWork(new AbortController().signal);
      await broker.publish([message(queue, 'x')]);
      await waiting;
      expect((await worker.claim(1)).map(idOf)).toEqual(['x']);
      worker.close();
    });

    test('lets an idle worker go when it shall stop', async () => {
      const { worker } = await queueOf(0);
      const stop = new AbortController();
      const waiting = worker.awaitWork(stop.signal);
      stop.abort();
      await waiting;
      await worker.awaitWork(stop.signal);
      worker.close();
    });
  });
}
