import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { decodeCarrier, encodeCarrier } from '#core/celery/carrier.ts';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { queueKey } from '#core/celery/queue-key.ts';
import { mapCall } from '#core/celery/map-call.ts';
import { signature } from '#core/celery/signature.ts';
import { capture, captures, comparable, unwrapped, wireText, type Envelope } from './capture.ts';

const text = (value: unknown): JsonText => JSON.stringify(value) as JsonText;

/** Decodes what Celery wrote and publishes it again. */
function rewritten(message: Envelope): Envelope {
  const decoded = decodeTaskMessage(wireText(message));
  if (!decoded.ok) throw new Error(decoded.error.message);
  const { expiration, delivery_tag: tag } = message.properties;
  return unwrapped(
    encodeTaskMessage({
      ...decoded.value,
      queue: decoded.value.routingKey,
      deliveryTag: String(tag),
      ...(expiration === undefined ? {} : { expirationMs: Number(expiration) }),
    }),
  );
}

const readable = captures().filter(({ name }) => name !== 'publish-compression-zlib');
const messages = readable.flatMap(({ name, messages }) =>
  messages.map((each, index) => ({ name: `${name}[${index}]`, ...each })),
);

describe('a message that Celery wrote', () => {
  test('all recordings are here', () => expect(messages.length).toBe(82));

  test.each(messages)('$name is read and written again as it was', ({ message }) => {
    expect(comparable(rewritten(message))).toBe(comparable(message));
  });

  test.each(messages)('$name goes to the list where Celery put it', ({ list, message }) => {
    const { priority, delivery_info: delivery } = message.properties;
    expect(queueKey(String(delivery['routing_key']), Number(priority))).toBe(list);
  });
});

describe('a message that we write from nothing but its call', () => {
  const base = { queue: 'celery', replyTo: 'd55553fd-3cca-3394-9b62-4d92707a9ac6' };
  const none = text({});

  test.each([
    { name: 'publish-plain', draft: { task: 'demo.add', argsText: text([1, 2]), kwargsText: none } },
    {
      name: 'publish-kwargs-headers',
      draft: {
        task: 'demo.echo',
        argsText: text([1]),
        kwargsText: text({ a: 'ü' }),
        shadow: 'pretty.name',
        timelimit: [30, 20] as const,
        ignoreResult: true,
        headers: new Map([['x-custom', text('v')]]),
      },
    },
    { name: 'publish-priority-5', draft: { task: 'demo.add', argsText: text([1, 2]), kwargsText: none, priority: 5 } },
    {
      name: 'publish-link',
      draft: {
        task: 'demo.add',
        argsText: text([1, 2]),
        kwargsText: none,
        embed: {
          callbacks: [text({ task: 'demo.add', args: [10], kwargs: {}, options: {}, subtask_type: null, immutable: false })],
          errbacks: [],
          chain: [],
          chord: undefined,
        },
      },
    },
  ])('$name', ({ name, draft }) => {
    const [recorded] = capture(name).messages;
    const { id } = recorded!.message.headers;
    const deliveryTag = String(recorded!.message.properties['delivery_tag']);
    const written = encodeTaskMessage({ ...base, ...draft, id: String(id), deliveryTag });
    expect(comparable(unwrapped(written))).toBe(comparable(recorded!.message));
  });
});

describe('a map that we call', () => {
  test.each([
    { name: 'publish-map', index: 0, task: 'demo.ident', items: [1, 2, 3], unpack: false },
    { name: 'publish-starmap', index: 0, task: 'demo.add', items: [[1, 2], [3, 4]], unpack: true },
    { name: 'publish-chunks', index: 0, task: 'demo.add', items: [[0, 0], [1, 1]], unpack: true },
    { name: 'publish-chunks', index: 1, task: 'demo.add', items: [[2, 2], [3, 3]], unpack: true },
  ])('is the message of $name, $index', ({ name, index, task, items, unpack }) => {
    const { message } = capture(name).messages[index]!;
    const { id, group, group_index: groupIndex } = message.headers;
    const { reply_to: replyTo, delivery_tag: deliveryTag } = message.properties;
    const written = encodeTaskMessage({
      ...mapCall(task, text(items), { unpack }),
      argsText: text([]),
      id: String(id),
      group: group as string | null,
      groupIndex: groupIndex as number | null,
      queue: 'celery',
      replyTo: String(replyTo),
      deliveryTag: String(deliveryTag),
    });
    expect(comparable(unwrapped(written))).toBe(comparable(message));
  });
});

describe('the errback carrier', () => {
  const [recorded] = capture('errback-carrier').messages;
  const carrier = {
    groupId: 'grp-1',
    failed: {
      id: 'failed-engine_wrote_FAILURE',
      task: 'demo.fail',
      argsText: text(['a1']),
      kwargsText: text({}),
    },
    handlerId: 'handler-engine_wrote_FAILURE',
    errbacks: [signature('demo.eb_new')],
  };

  test('is the message to which an unmodified worker answered by calling the errback', () => {
    const call = encodeCarrier(carrier);
    const [args, kwargs] = recorded!.message.body;
    const known = JSON.parse(`[${call.argsText},${call.kwargsText}]`) as [[string, object], object];
    expect(JSON.stringify(known)).toBe(JSON.stringify([args, kwargs]));
  });

  test('is read by our worker', () => {
    const decoded = decodeCarrier(text(recorded!.message.body[0]));
    expect(decoded).toEqual({ ok: true, value: carrier });
  });
});
