import { decodeTaskId, encodeTaskId } from '#core/base/task-id.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import type { JsonText } from '#core/base/json-text.ts';
import type { AdvanceAnswer, AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';
import type { ResultListener, ResultStore } from '#io/results/result-store.ts';
import type { RunKey, RunStore } from '#io/runs/run-store.ts';
import type { OutboxEntry, RunPorts } from '#operator/runs/run-ports.ts';
import { brokerBugs } from './broker-bugs.ts';
import { escalationBugs } from './escalation-bugs.ts';
import { poolBugs } from './pools/pool-bugs.ts';
import { leaderBugs } from './leader-bugs.ts';
import { limitBugs } from './limit-bugs.ts';
import type { PlantedBug } from './planted-bug.ts';
import { turnBugs } from './turn-bugs.ts';

/** By name, as `npm run simulate -- --bug NAME` takes it. */
export const plantedBugs: Readonly<Record<string, PlantedBug>> = {
  counterJoin: {
    what: 'a join counts answers: one that is heard twice stands for a member that has not answered',
    within: 500,
    options: { kinds: ['HintRepeated'], ports: counterJoin },
  },
  missingDedupe: {
    what: 'what is heard twice is acted upon twice: the messages that followed are sent again',
    within: 300,
    options: { kinds: ['HintRepeated'], ports: missingDedupe },
  },
  ackBeforeRecord: {
    what: 'the outbox is emptied before its messages are published',
    within: 1_000,
    // There must be an outbox, and a moment in which to crash.
    options: {
      kinds: ['OperatorCrash'],
      ports: ackBeforeRecord,
      swarm: (drawn) => ({ ...drawn, isElsewhere: true, latencyMs: 10 }),
    },
  },
  staleRead: {
    what: 'the run is read from a replica that lags, and written without comparing revisions',
    within: 500,
    options: { kinds: ['AnswerLost', 'OperatorCrash'], ports: staleRead },
  },
  edgeTriggeredFinish: {
    what: 'only what is heard counts: nobody looks for results that no hint told of',
    within: 300,
    options: { kinds: ['HintLost'], ports: edgeTriggered },
  },
  nonAtomicPublish: {
    what: 'the record is written first and the message sent afterwards, with nothing that remembers it',
    within: 500,
    options: { kinds: ['OperatorCrash', 'RequestLost', 'AnswerLost'], ports: nonAtomicPublish },
  },
  recordLater: {
    what: 'messages are sent first and recorded afterwards',
    within: 500,
    options: { kinds: ['OperatorCrash', 'RequestLost', 'AnswerLost'], ports: recordLater },
  },
  talkative: {
    what: 'what a task returned is written to the log',
    within: 100,
    options: { kinds: [], ports: talkative },
  },
  ...poolBugs,
  ...limitBugs,
  ...leaderBugs,
  ...turnBugs,
  ...brokerBugs,
  ...escalationBugs,
};

/** The store with some of its methods replaced. */
function storeWith(store: RunStore, changes: Partial<RunStore>): RunStore {
  return new Proxy(store, {
    get: (target, name) => (Reflect.get(changes, name) as unknown) ?? (Reflect.get(target, name) as unknown),
  });
}

function resultsWith(ports: RunPorts, changes: Partial<ResultStore>): RunPorts {
  const { results } = ports;
  const all: ResultStore = {
    store: (writes) => results.store(writes),
    read: (ids) => results.read(ids),
    glance: (ids) => results.glance(ids),
    hear: (listener, options) => results.hear(listener, options),
    ...changes,
  };
  return { ...ports, results: all };
}

/** `repeated` is told of what was heard before. */
function hearing(listener: ResultListener, repeated: (id: string, text: string) => void): ResultListener {
  const heard = new Set<string>();
  return {
    missed: () => listener.missed(),
    heard: (id, text) => {
      listener.heard(id, text);
      if (heard.has(id)) repeated(id, text);
      heard.add(id);
    },
  };
}

function counterJoin(ports: RunPorts): RunPorts {
  return resultsWith(ports, {
    hear: (listener, options) =>
      ports.results.hear(
        hearing(listener, (id) => {
          const fields = decodeTaskId(id);
          if (fields === undefined) return;
          const other = encodeTaskId({ ...fields, step: fields.step + 1, attempt: 0 });
          const resultText = 'null' as JsonText;
          listener.heard(other, encodeResultMeta({ id: other, status: 'SUCCESS', resultText, dateDone: null }));
        }),
        options,
      ),
  });
}

function missingDedupe(ports: RunPorts): RunPorts {
  let last: readonly OutboxEntry[] = [];
  const advance = async (run: RunKey, request: AdvanceRequest): Promise<AdvanceAnswer> => {
    const answer = await ports.store.advance(run, request);
    if (request.records.length > 0) last = messagesOf(request);
    return answer;
  };
  const { results, store } = ports;
  const hear: ResultStore['hear'] = (listener, options) =>
    results.hear(
      hearing(listener, () => void ports.broker.publish(last).catch(() => undefined)),
      options,
    );
  return { ...resultsWith(ports, { hear }), store: storeWith(store, { advance }) };
}

function messagesOf({ publishes }: AdvanceRequest): readonly OutboxEntry[] {
  return publishes.map(({ dispatch }) => {
    if (dispatch.by === 'Outbox') return JSON.parse(dispatch.entry) as OutboxEntry;
    const { list, bell, message } = dispatch;
    return { broker: '', list, bell, message };
  });
}

function ackBeforeRecord(ports: RunPorts): RunPorts {
  const advance = async (run: RunKey, request: AdvanceRequest): Promise<AdvanceAnswer> => {
    const answer = await ports.store.advance(run, request);
    const entries = request.publishes.flatMap(({ dispatch }) => (dispatch.by === 'Outbox' ? [dispatch.entry] : []));
    if (answer.ok && entries.length > 0) await ports.store.clearOutbox(run, entries);
    return answer;
  };
  return { ...ports, store: storeWith(ports.store, { advance }) };
}

function staleRead(ports: RunPorts): RunPorts {
  const { store } = ports;
  const seen = new Map<string, StoredRun>();
  return {
    ...ports,
    store: storeWith(store, {
      read: async (run) => {
        const now = await store.read(run);
        const before = seen.get(run.uid) ?? now;
        if (now !== undefined) seen.set(run.uid, now);
        return before === undefined || now === undefined ? now : { ...before, head: now.head };
      },
      advance: async (run, request) => {
        const now = await store.read(run);
        if (now !== undefined) seen.set(run.uid, now);
        return store.advance(run, { ...request, rev: now?.head.rev ?? request.rev });
      },
    }),
  };
}

function edgeTriggered(ports: RunPorts): RunPorts {
  return resultsWith(ports, { glance: (ids) => Promise.resolve(ids.map(() => undefined)) });
}

function nonAtomicPublish(ports: RunPorts): RunPorts {
  return publishingApart(ports, async (record, send) => {
    const answer = await record();
    if (answer.ok) await send();
    return answer;
  });
}

function recordLater(ports: RunPorts): RunPorts {
  return publishingApart(ports, async (record, send) => {
    await send();
    return record();
  });
}

/** Two calls where the deciding script makes one. */
function publishingApart(
  ports: RunPorts,
  both: (record: () => Promise<AdvanceAnswer>, send: () => Promise<void>) => Promise<AdvanceAnswer>,
): RunPorts {
  const advance = (run: RunKey, request: AdvanceRequest): Promise<AdvanceAnswer> => {
    if (request.publishes.length === 0) return ports.store.advance(run, request);
    const published = request.publishes.map(({ at, slot }) => ({ at, slot }));
    const recording = { ...request, records: [...request.records, ...published], publishes: [] };
    return both(
      () => ports.store.advance(run, recording),
      () => ports.broker.publish(messagesOf(request)),
    );
  };
  return { ...ports, store: storeWith(ports.store, { advance }) };
}

function talkative(ports: RunPorts): RunPorts {
  return resultsWith(ports, {
    hear: (listener, options) =>
      ports.results.hear(
        {
          missed: () => listener.missed(),
          heard: (id, text) => {
            ports.log.info({ id, text }, 'heard a result');
            listener.heard(id, text);
          },
        },
        options,
      ),
  });
}
