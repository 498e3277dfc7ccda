import { randomUUID } from 'node:crypto';
import { decodeTaskId } from '#core/base/task-id.ts';
import type { JsonText } from '#core/base/json-text.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import { decodeResultMeta } from '#core/celery/result-meta.ts';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import { rootIdOf } from '#core/workflow/message.ts';
import { statusOf } from '#core/workflow/status.ts';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import type { RunSettings } from '#operator/runs/run-settings.ts';
import { reportOf } from '#operator/runs/run-report.ts';
import { runSettingsOf } from '#operator/runs/run-settings-of.ts';
import type { CheckedWorkflow } from '../check/check-manifests.ts';
import { elementRows, type ElementRow } from './element-rows.ts';
import type { LocalHome } from './local-home.ts';
import type { LocalQueues } from './local-queues.ts';

export interface LocalRunOptions {
  readonly home: LocalHome;
  readonly queues: LocalQueues;
  readonly workflow: CheckedWorkflow;
  readonly nowMs: () => number;
  /** Default: a new one. */
  readonly uid?: string;
  /** Told when there may be something new to show. */
  readonly onChange: () => void;
}

/** One run of a Workflow in this process. */
export class LocalRun {
  readonly #options: LocalRunOptions;
  readonly #driver: RunDriver;
  #previous: WorkflowStatus | undefined;

  private constructor(options: LocalRunOptions, driver: RunDriver) {
    this.#options = options;
    this.#driver = driver;
  }

  static async begin(options: LocalRunOptions): Promise<LocalRun> {
    const { home, queues, workflow, onChange, uid = randomUUID() } = options;
    const { manifest, spec } = workflow;
    const { name, namespace } = manifest;
    const facts = { name, namespace: namespace === '' ? 'default' : namespace, uid };
    const driver = await home.engine.begin({
      ...{ uid, onChange, router: queues.router, digest: 'local' },
      plan: planOf(normalise(spec)),
      settings: runSettingsOf({ metadata: facts }, spec),
    });
    if (driver === undefined) throw new Error('the run was lost before it began');
    driver.release();
    return new LocalRun(options, driver);
  }

  /** Nothing more will happen. */
  get hasEnded(): boolean {
    return !this.#driver.isGoingOn && (this.#driver.isConcluded || this.#driver.stopped !== undefined);
  }

  /** Steps, those of members of maps included. */
  get width(): number {
    return this.#driver.run.view.evaluation.states.length;
  }

  get settings(): RunSettings {
    return this.#driver.run.settings;
  }

  /** Changes what may change while it runs. */
  configure(changed: Partial<Pick<RunSettings, 'cancel' | 'suspended' | 'retryFailed'>>): void {
    this.#driver.configure({ ...this.settings, ...changed });
  }

  /** As `kubectl get workflow -o yaml` would show it, less what only a cluster has. */
  status(): WorkflowStatus {
    this.#previous = statusOf(reportOf(this.#driver), {
      generation: 1,
      nowMs: this.#options.nowMs(),
      timeText: (ms) => new Date(ms).toISOString(),
      previous: this.#previous,
      showResult: true,
    });
    return this.#previous;
  }

  /** How each element of the canvas stands, by its path. */
  elementRows(): ReadonlyMap<string, ElementRow> {
    const { plan, view } = this.#driver.run;
    return elementRows(plan, view);
  }

  /** The text of the final result, at any size; undefined unless the run succeeded. */
  async resultText(): Promise<JsonText | undefined> {
    const stored = await this.#stored(rootIdOf(this.#driver.run.identity));
    return stored?.status === 'SUCCESS' && this.#driver.isConcluded ? stored.resultText : undefined;
  }

  /** Where a failed task threw, as its worker noted it. */
  async tracebackOf(taskId: string): Promise<string | undefined> {
    return (await this.#stored(taskId))?.traceback ?? undefined;
  }

  /** Where the element stands in spec whose task has this id, and whether it is one of a map's. */
  placeOf(taskId: string): { readonly path: string; readonly isOfMap: boolean } {
    const step = this.#driver.run.plan.steps[decodeTaskId(taskId)?.step ?? -1];
    return { path: step?.path ?? '', isOfMap: step !== undefined && step.map !== -1 };
  }

  async #stored(id: string) {
    const [text] = await this.#options.home.results.read([id]);
    const decoded = text === undefined ? undefined : decodeResultMeta(text);
    return decoded?.ok === true ? decoded.value : undefined;
  }
}
