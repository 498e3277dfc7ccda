import { fail, ok, type Result } from '#core/base/result.ts';
import { idsHeld, uptimeMsOf, type InspectMethod } from '#core/celery/inspection.ts';

/** What the workers of a broker answered when they were asked about some tasks. */
export interface Census {
  /** The nodename of who holds it, by the task's id: runs it, or keeps it for later. */
  readonly holders: ReadonlyMap<string, string>;
  /**
   * How long each worker has lived, in milliseconds, by nodename; empty when every task has a holder, for then
   * nobody is asked. Or why nothing is known of tasks without a holder, in a sentence for a person.
   */
  readonly workers: Result<ReadonlyMap<string, number>, string>;
}

/** One worker's answer to one question. */
export interface Answer {
  readonly nodename: string;
  readonly answer: unknown;
}

/** What came back on some questions, and how many workers heard them: so many must answer each. */
export interface Answers {
  readonly heard: number;
  readonly replies: ReadonlyMap<InspectMethod, readonly Answer[]>;
}

export type Ask = (methods: readonly InspectMethod[], ids: ReadonlySet<string>) => Promise<Answers>;

/** Asks who runs these tasks and, for those that nobody runs, who has them at all. Throws what `ask` throws. */
export async function takeCensus(ids: ReadonlySet<string>, ask: Ask): Promise<Census> {
  const running = answeredIn(await ask(['active'], ids));
  const held = holdersAmong(ids, running);
  const rest = new Set([...ids].filter((id) => !held.has(id)));
  if (rest.size === 0) return { holders: held, workers: ok(new Map()) };
  const silence = silenceOf(running);
  if (silence !== undefined) return { holders: held, workers: fail(silence) };
  const others = answeredIn(await ask(['query_task', 'scheduled', 'stats'], rest));
  const holders = new Map([...held, ...holdersAmong(rest, others)]);
  const nobody = silenceOf(others);
  return { holders, workers: nobody === undefined ? ok(uptimesOf(others)) : fail(nobody) };
}

/** A worker that failed at a question has not answered it. */
function answeredIn({ heard, replies }: Answers): Answers {
  const answered = [...replies].map(([method, own]) => {
    return [method, own.filter(({ answer }) => idsHeld(method, answer) !== undefined)] as const;
  });
  return { heard, replies: new Map(answered) };
}

function holdersAmong(ids: ReadonlySet<string>, { replies }: Answers): ReadonlyMap<string, string> {
  const held = [...replies].flatMap(([method, own]) =>
    own.flatMap(({ nodename, answer }) => (idsHeld(method, answer) ?? []).map((id) => [id, nodename] as const)),
  );
  return new Map(held.filter(([id]) => ids.has(id)));
}

/** Of two workers with one name the younger counts: it proves the least. */
function uptimesOf({ replies }: Answers): ReadonlyMap<string, number> {
  const uptimes = new Map<string, number>();
  for (const { nodename, answer } of replies.get('stats') ?? []) {
    const uptimeMs = uptimeMsOf(answer);
    if (uptimeMs !== undefined) uptimes.set(nodename, Math.min(uptimeMs, uptimes.get(nodename) ?? Infinity));
  }
  return uptimes;
}

/** Who heard a question and did not answer may hold anything; so may those who hear none. */
function silenceOf({ heard, replies }: Answers): string | undefined {
  if (heard === 0) return 'no worker hears remote control at present';
  const fewest = Math.min(...[...replies.values()].map((own) => own.length));
  if (fewest >= heard) return undefined;
  return `${heard - fewest} of ${heard} workers do not answer: they are busy, stopped or cut off`;
}
