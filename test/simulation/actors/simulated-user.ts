import { resources, collectionPath, objectPath } from '#io/kube/resource.ts';
import type { Canvas } from '../canvas/canvas.ts';
import { randomCanvas } from '../canvas/random-canvas.ts';
import { Actor } from '../kernel/actor.ts';
import type { Chance } from '../kernel/chance.ts';
import { WorkflowCase } from '../oracle/workflow-case.ts';
import { namespace, type Surroundings } from '../surroundings.ts';

/** Whoever submits Workflows, deletes them, and creates others under the same name; and reads what their status says. */
export class SimulatedUser {
  readonly actor = new Actor('user');
  readonly #world: Surroundings;
  readonly #chance: Chance;
  #left = 0;

  constructor(world: Surroundings) {
    this.#world = world;
    this.#chance = world.chance.split('user');
  }

  get isDone(): boolean {
    return this.#left === 0;
  }

  begin(canvases?: readonly Canvas[]): void {
    const { swarm, timeline, api } = this.#world;
    const all = canvases ?? Array.from({ length: swarm.workflows }, (_, i) => this.#canvas(i));
    api.onChanged = (type, object, before) => {
      this.#world.oracle.written(object, before, timeline.nowMs);
      if (object.kind === 'Workflow') this.#read(type, object as unknown as Shown);
    };
    all.forEach((canvas, i) => {
      this.#left += 1;
      const atMs = i === 0 ? 1 : this.#chance.between(1, 2_000);
      timeline.at(atMs, this.actor, `submits w${i}`, () => this.#submit(`w${i}`, canvas));
    });
  }

  #canvas(nth: number): Canvas {
    const { crowd, size } = this.#world.swarm;
    const priority = crowd?.[nth];
    return randomCanvas(this.#chance, priority === undefined ? size : { ...size, priority });
  }

  #submit(name: string, canvas: Canvas): void {
    const { api, oracle, swarm, timeline } = this.#world;
    const deadlineMs = this.#chance.happens(swarm.deadlines) ? this.#chance.between(10, 20 * swarm.taskMs + 50) : 0;
    const workflow = new WorkflowCase(canvas, deadlineMs === 0 ? {} : { deadline: `${deadlineMs}ms` });
    if (deadlineMs > 0) workflow.deadlineMs = deadlineMs;
    const { group, version, kind } = resources.workflows;
    const body = `{"apiVersion":"${group}/${version}","kind":"${kind}","metadata":{"name":"${name}"},"spec":${workflow.spec}}`;
    workflow.key = `${namespace}/${name}`;
    oracle.add(workflow);
    const answer = api.handle({ method: 'POST', path: collectionPath(resources.workflows, namespace), body });
    if (answer.status !== 201) throw new Error(`the Workflow was refused: ${answer.body}`);
    timeline.tell('user', () => `${name}: ${workflow.spec}`);
    this.#left -= 1;
    if (this.#chance.happens(swarm.deletes)) this.#deleteLater(name, workflow);
    if (this.#chance.happens(swarm.cancels)) this.#cancelLater(workflow);
    if (!this.#chance.happens(swarm.suspends)) return;
    workflow.wasSuspended = true;
    this.#editLater(workflow, 'suspends', { suspend: true }, () =>
      this.#editLater(workflow, 'resumes', { suspend: false }),
    );
  }

  #cancelLater(workflow: WorkflowCase): void {
    this.#editLater(workflow, 'cancels', { cancel: true }, () => {
      workflow.cancelAskedAtMs = this.#world.timeline.nowMs;
    });
  }

  /** A change of spec, some time from now. */
  #editLater(workflow: WorkflowCase, what: string, spec: object, then: () => void = () => undefined): void {
    const { timeline, swarm } = this.#world;
    const name = workflow.key.slice(namespace.length + 1);
    this.#left += 1;
    const afterMs = this.#chance.next() * swarm.taskMs * 6 + this.#chance.between(0, 50);
    timeline.in(afterMs, this.actor, `${what} ${name}`, () => {
      this.#left -= 1;
      this.#edit(workflow, spec);
      then();
    });
  }

  #edit(workflow: WorkflowCase, spec: object): void {
    if (workflow.isDeleted) return;
    const name = workflow.key.slice(namespace.length + 1);
    const body = JSON.stringify({ spec });
    const path = objectPath(resources.workflows, { namespace, name });
    const answer = this.#world.api.handle({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
    // What succeeded stays so, whatever is asked of it.
    if (!('retryFailed' in spec) || answer.status !== 200 || workflow.finished?.state === 'Succeeded') return;
    // From here on only an end counts that was told of this spec.
    workflow.retriedAtGeneration = (JSON.parse(answer.body) as Shown).metadata.generation;
    workflow.finished = undefined;
  }

  /** It did not succeed: the user may want what failed to be tried again. */
  #maybeRetry(workflow: WorkflowCase): void {
    const { swarm } = this.#world;
    if (workflow.isDeleted || !this.#chance.happens(swarm.retries) || workflow.retryFailed >= 3) return;
    workflow.retryFailed += this.#chance.between(1, 2);
    const again = { retryFailed: workflow.retryFailed, cancel: null, deadline: null };
    this.#editLater(workflow, 'retries', again, () => {
      workflow.cancelAskedAtMs = Infinity;
      // Asked for once more while it is tried again, or when that has gone well.
      if (!this.#chance.happens(0.3)) return;
      workflow.retryFailed += 1;
      this.#editLater(workflow, 'retries', { retryFailed: workflow.retryFailed });
    });
  }

  #deleteLater(name: string, workflow: WorkflowCase): void {
    const { timeline, swarm, api } = this.#world;
    this.#left += 1;
    const afterMs = this.#chance.next() * swarm.taskMs * 6 + this.#chance.between(0, 50);
    timeline.in(afterMs, this.actor, `deletes ${name}`, () => {
      workflow.deletedAtMs = timeline.nowMs;
      api.handle({ method: 'DELETE', path: objectPath(resources.workflows, { namespace, name }) });
      this.#left -= 1;
      if (!this.#chance.happens(0.6)) return;
      this.#left += 1;
      timeline.in(this.#chance.between(0, 500), this.actor, `creates ${name} again`, () =>
        this.#submit(name, this.#canvas(0)),
      );
    });
  }

  #read(type: string, object: Shown): void {
    const { oracle, swarm } = this.#world;
    const { name, uid } = object.metadata;
    const workflow =
      oracle.cases.find((each) => each.uid === uid) ??
      oracle.cases.findLast((each) => each.uid === '' && each.key === `${namespace}/${name}`);
    if (workflow === undefined) return;
    workflow.uid = uid;
    if (type === 'DELETED' || object.status === undefined) return;
    oracle.shown(workflow, object.status, swarm.showResults);
    this.#note(workflow, object.status);
  }

  #note(workflow: WorkflowCase, status: NonNullable<Shown['status']>): void {
    const { timeline } = this.#world;
    const { finishedAt, state = '', progress, observedGeneration = 0 } = status;
    timeline.tell('user', () => `sees ${workflow.key}: ${state} ${progress ?? ''}`);
    const isOfLater = state === 'Succeeded' || observedGeneration >= workflow.retriedAtGeneration;
    if (finishedAt === undefined || !isOfLater) workflow.finished = undefined;
    else if (workflow.finished === undefined) {
      workflow.finished = { state, atMs: timeline.nowMs };
      workflow.storedAtEnd = workflow.stored;
      if (state !== 'Succeeded') this.#maybeRetry(workflow);
    }
  }
}

interface Shown {
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation: number };
  readonly status?: {
    readonly state?: string;
    readonly observedGeneration?: number;
    readonly finishedAt?: string;
    readonly progress?: string;
    readonly [key: string]: unknown;
  };
}
