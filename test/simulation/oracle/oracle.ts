import { stringifyJson } from '#core/base/json-text.ts';
import { decodeTaskId, type TaskIdFields } from '#core/base/task-id.ts';
import type { StoredRun } from '#core/workflow/advance.ts';
import type { RestoreRequest } from '#core/workflow/restore.ts';
import { slotOf } from '#core/workflow/layout.ts';
import { hasEnded, readSlot, slotBytes, slotStateAt, type Slot } from '#core/workflow/slots.ts';
import { messageId } from '#io/brokers/message-text.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import type { EventNote } from '#io/kube/event-recorder.ts';
import type { StoredObject } from '../servers/object-rules.ts';
import type { StoreWitness } from '../servers/redis-ports.ts';
import { canary } from '../canvas/random-canvas.ts';
import { retryQueue, usualQueue } from '../queues.ts';
import { ApiWrites } from './api-writes.ts';
import { Coverage, escalated, lostAttempt } from './coverage.ts';
import { judgeChange } from './judge-change.ts';
import { same, Violation } from './violation.ts';
import { TurnJudge } from './turn-judge.ts';
import type { Sent, WorkflowCase } from './workflow-case.ts';

type Change = Parameters<StoreWitness['advanced']>[0];

interface Runs {
  readonly before: StoredRun;
  readonly after: StoredRun;
}

export interface OracleSurroundings {
  /** Virtual time. */
  readonly nowMs: () => number;
  /** Nothing was broken so far. */
  readonly isCalm: () => boolean;
  /** Nothing was broken but a broker: then what operators do is known to the moment. */
  readonly isExact: () => boolean;
  /** Of every connection. */
  readonly latencyMs: number;
}

/** Messages that may wait where no worker is known. */
const unservedWindow = 64;
/** A queue may hold what its workers took in 100 ms; hearing that it is done takes a moment. */
const paceMs = 200;

/** What a status may weigh at most. */
const statusBytes = 64 * 1024;

/**
 * Sees all that leaves the operators, where it arrives, and holds it to the promises at once. What can only be judged
 * when a run has ended is judged in `judge-run.ts`, from what is noted here.
 */
export class Oracle implements StoreWitness {
  readonly coverage = new Coverage();
  readonly writes = new ApiWrites();
  readonly cases: WorkflowCase[] = [];
  /** The first promise that was broken. */
  violation: Violation | undefined;
  /** Times that Redis forgot something: what stood before may be said again, and messages may be sent again. */
  losses = 0;
  readonly #byRun48 = new Map<string, WorkflowCase>();
  readonly #keys = new Map<string, RunKey>();
  readonly #fences = new Map<number, number>();
  /** Who took the fence of a shard last. */
  readonly #takers = new Map<number, string>();
  readonly #sentIds = new Set<string>();
  readonly #claimedIds = new Set<string>();
  /** By queue: when workers took messages. */
  readonly #takenAtMs = new Map<string, number[]>([usualQueue, retryQueue].map((queue) => [queue, []]));
  /** By operator and run: since when it knows that nothing is to be sent. */
  readonly #suspended = new Map<string, number>();
  readonly #turns = [usualQueue, retryQueue].map((queue) => new TurnJudge(queue, this.coverage));
  readonly #surroundings: OracleSurroundings;
  #changes = 0;

  constructor(surroundings: OracleSurroundings) {
    this.#surroundings = surroundings;
  }

  add(workflow: WorkflowCase): void {
    this.cases.push(workflow);
  }

  /** Data is gone: fences may fall back with it. */
  lost(): void {
    this.losses += 1;
    this.#fences.clear();
    this.#takers.clear();
  }

  get hasLostData(): boolean {
    return this.losses > 0;
  }

  caseOf(run48: string): WorkflowCase | undefined {
    return this.#byRun48.get(run48);
  }

  began({ uid, run48 }: RunKey): void {
    const found = this.cases.find((each) => each.uid === uid);
    if (found === undefined) return;
    this.#byRun48.set(run48, found);
    this.#keys.set(uid, { uid, run48 });
  }

  restored({ uid }: RunKey, { kept }: RestoreRequest): void {
    const found = this.cases.find((each) => each.uid === uid);
    for (const [at, text] of kept) found?.keptEver.set(at, text);
  }

  keyOf(uid: string): RunKey | undefined {
    return this.#keys.get(uid);
  }

  took(shard: number, fence: number, client: string): void {
    this.#takers.set(shard, client);
    this.#check(() => {
      if (fence <= (this.#fences.get(shard) ?? 0)) throw new Violation('P9', `fence ${fence} was given out twice`);
      this.#fences.set(shard, fence);
    });
  }

  advancing(): number {
    this.#changes += 1;
    return this.#changes;
  }

  advanced(change: Change): void {
    this.#check(() => this.#judge(change));
  }

  /** An engine heard what a Workflow asks of its run. */
  observed(operator: string, { uid, suspended }: { readonly uid: string; readonly suspended: boolean }): void {
    const key = `${operator}/${uid}`;
    if (!suspended) this.#suspended.delete(key);
    else if (!this.#suspended.has(key)) this.#suspended.set(key, this.#surroundings.nowMs());
  }

  /** A worker took a message. When it did for the first time is noted, for a task may ask to be called again. */
  claimed(text: string, queue: string): void {
    const id = messageId(text) ?? '';
    const fields = decodeTaskId(id);
    if (fields === undefined) return;
    this.#takenAtMs.get(queue)?.push(this.#surroundings.nowMs());
    if (this.#claimedIds.has(id)) return;
    this.#claimedIds.add(id);
    this.#byRun48.get(fields.run48)?.claims.push(this.#sentOf(fields, queue));
  }

  #sentOf({ step, member, round, attempt }: TaskIdFields, queue: string): Sent {
    const { nowMs, isCalm } = this.#surroundings;
    const { losses } = this;
    const place = { step, member, round, attempt, queue };
    return { ...place, losses, change: this.#changes, atMs: nowMs(), isCalm: isCalm() };
  }

  /** A message reached a queue; `byScript`: in the same breath in which it was recorded. */
  sent(text: string, queue: string, byScript: boolean): void {
    const id = messageId(text) ?? '';
    const fields = decodeTaskId(id);
    if (fields === undefined) {
      this.#fail(new Violation('P3', `a message under ${id}, which is no id of ours`));
      return;
    }
    if (byScript && this.#sentIds.has(id) && !this.hasLostData) {
      this.#fail(new Violation('P3', `${id} was sent twice by the deciding script`));
    }
    this.#sentIds.add(id);
    const workflow = this.#byRun48.get(fields.run48);
    if (workflow === undefined) return;
    workflow.sent.push(this.#sentOf(fields, queue));
    if (queue === retryQueue) this.coverage.add(escalated, 'Sent');
    if (!byScript && this.#surroundings.isExact()) this.#check(() => this.#judgeGivenUp(workflow, fields));
  }

  /** What was taken back, or never left, does not reach a queue afterwards. */
  #judgeGivenUp(workflow: WorkflowCase, { step, member, round }: TaskIdFields): void {
    const { stored, plan, endedAtMs } = workflow;
    if (stored === undefined || stored.head.round !== round) return;
    const at = slotOf(plan, stored.maps, step, member);
    const { nowMs, latencyMs } = this.#surroundings;
    const afterMs = nowMs() - (hasEnded(slotStateAt(stored.slots, at)) ? (endedAtMs.get(at) ?? Infinity) : Infinity);
    if (afterMs <= 2 * latencyMs) return;
    throw new Violation('P6', `${step}/${member} reached its queue ${afterMs.toFixed(1)} ms after it had ended`);
  }

  /** So many messages wait in a queue that `slots` workers look after; undefined where the operator knows of none. */
  waiting(queue: string, count: number, slots = 0): void {
    const { nowMs, isCalm } = this.#surroundings;
    const usual = slots === 0 ? unservedWindow : 2 * slots + 16;
    // Runs that turn in the same moment may each take the place that one message left.
    const spare = Math.max(slots, this.cases.length);
    if (count <= usual + spare || !isCalm()) return;
    // What is deleted takes up no room any more, and is taken back a moment later.
    if (this.cases.some(({ deletedAtMs }) => deletedAtMs > nowMs() - paceMs)) return;
    const takenLately = (this.#takenAtMs.get(queue) ?? []).filter((atMs) => atMs >= nowMs() - paceMs).length;
    const most = Math.max(usual, takenLately) + spare;
    if (count > most) this.#fail(new Violation('P18', `${count} messages wait in queue ${queue}, and ${most} may`));
  }

  logged(fields: object, message: string): void {
    this.#hides('P12', `a log line "${message}"`, () => textOf(fields) + message);
  }

  noted(note: EventNote): void {
    this.#hides('P12', `an event ${note.reason}`, () => note.message);
  }

  /** Something was written at the API server. */
  written(object: StoredObject, before: StoredObject | undefined, nowMs: number): void {
    this.writes.changed(object, before, nowMs);
    if (object.kind === 'Event') this.#hides('P12', 'an event', () => stringifyJson(object));
  }

  /** A status as it stands at the API server. */
  shown(workflow: WorkflowCase, status: { readonly [key: string]: unknown }, showsResults: boolean): void {
    const { result: _result, ...rest } = status;
    const text = JSON.stringify(showsResults ? rest : status);
    this.#hides('P12', `the status of ${workflow.key}`, () => text);
    if (text.length > statusBytes) {
      this.#fail(new Violation('P11', `the status of ${workflow.key} weighs ${text.length} bytes`));
    }
  }

  fail(violation: Violation): void {
    this.#fail(violation);
  }

  #judge(change: Change): void {
    const { run, client, request, answer, before, after } = change;
    if (!answer.ok) {
      if (after !== before) throw new Violation('P2', `a refused change (${answer.refusal}) changed the run`);
      return;
    }
    if (before === undefined || after === undefined) throw new Violation('P2', 'a run that is not there was changed');
    this.#judgeFence(run, request.fence, client);
    same('P2', 'the revision', after.head.rev, before.head.rev + 1);
    const workflow = this.cases.find(({ uid }) => uid === run.uid);
    if (workflow !== undefined) this.#judgeOf(workflow, change, { before, after });
  }

  #judgeOf(workflow: WorkflowCase, { number, client, request }: Change, { before, after }: Runs): void {
    workflow.stored = after;
    workflow.noteKept(request);
    if (before.head.cancelled !== '' && request.publishes.some(({ isCleanUp }) => !isCleanUp)) {
      throw new Violation('P6', 'a task was sent after the cancel was recorded');
    }
    const { nowMs, isCalm, latencyMs } = this.#surroundings;
    const suspendedAtMs = this.#suspended.get(`${client}/${workflow.uid}`);
    const now = { nowMs: nowMs(), isCalm: isCalm(), latencyMs, suspendedAtMs };
    judgeChange({ workflow, request, before, after, ...now });
    if (now.isCalm) for (const turns of this.#turns) turns.took({ workflow, request, after, ...now });
    if (!before.ledger.has(retryQueue) && after.ledger.has(retryQueue)) this.coverage.add(escalated, 'Held back');
    // A new round begins with slots of its own.
    if (request.newRound === undefined) this.#judgeSlots({ workflow, number }, before, after);
  }

  #judgeFence({ run48 }: RunKey, given: number, client: string): void {
    const shard = Number.parseInt(run48.slice(0, 2), 16);
    const fence = this.#fences.get(shard) ?? 0;
    if (given < fence) throw new Violation('P9', `fence ${given} decided after ${fence} was taken`);
    const taker = this.#takers.get(shard) ?? client;
    if (client !== taker) throw new Violation('P9', `${client} decided after ${taker} took over`);
  }

  #judgeSlots(
    { workflow, number }: { readonly workflow: WorkflowCase; readonly number: number },
    before: StoredRun,
    after: StoredRun,
  ): void {
    const count = Math.max(before.slots.length, after.slots.length) / slotBytes;
    for (let at = 0; at < count; at += 1) {
      const was = slotStateAt(before.slots, at);
      const is = slotStateAt(after.slots, at);
      if (hasEnded(was)) judgeEnded(at, before, after);
      else this.#noteAttempt(workflow, at, [readSlot(before.slots, at), readSlot(after.slots, at)]);
      if (was === is) continue;
      this.coverage.add(was, is);
      // What Redis forgot and was recorded again had ended before.
      if (!hasEnded(is) || workflow.endedAt.has(at)) continue;
      workflow.endedAt.set(at, number);
      workflow.endedAtMs.set(at, this.#surroundings.nowMs());
    }
  }

  #noteAttempt({ again }: WorkflowCase, at: number, [was, is]: readonly [Slot, Slot]): void {
    if (is.attempt < was.attempt) throw new Violation('P3', `step ${at}: its attempt went down`);
    if (is.attempt === was.attempt) return;
    const isLost = is.lost > was.lost;
    if (isLost) this.coverage.add(was.state, lostAttempt);
    again.set(`${at}.${is.attempt}`, { atMs: this.#surroundings.nowMs(), isLost });
  }

  #hides(promise: string, where: string, textOf: () => string): void {
    this.#check(() => {
      if (textOf().includes(canary)) throw new Violation(promise, `${where} tells of an argument or result`);
    });
  }

  #check(judge: () => void): void {
    try {
      judge();
    } catch (error) {
      this.#fail(error instanceof Violation ? error : new Violation('P13', (error as Error).stack ?? String(error)));
    }
  }

  #fail(violation: Violation): void {
    this.violation ??= violation;
  }
}

/** What has ended stands, with the text that was kept. */
function judgeEnded(at: number, before: StoredRun, after: StoredRun): void {
  const [was, is] = [readSlot(before.slots, at), readSlot(after.slots, at)];
  same('P2', `step ${at}, which had ended,`, is, was);
  if (before.kept.get(at) !== after.kept.get(at)) throw new Violation('P2', `step ${at}: its kept text changed`);
}

function textOf(fields: object): string {
  return Object.values(fields)
    .map((value: unknown) => (value instanceof Error ? `${value.message} ${value.stack ?? ''}` : JSON.stringify(value)))
    .join(' ');
}
