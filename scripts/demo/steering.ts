import { join } from 'node:path';
import { ROOT } from '../command.ts';
import type { Kubectl } from './kubectl.ts';
import type { Observation } from './observation.ts';

export const steeredWorkflow = 'steered';

const folder = join(ROOT, 'examples', steeredWorkflow);

/** What a person does to the example `steered`, one after the other: in which state, and the patch that says what. */
const steeringSteps: readonly (readonly [state: string, patch: string])[] = [
  ['Suspended', join(folder, 'cancel.json')],
  ['Cancelled', join(folder, 'retry.json')],
  ['Suspended', join(folder, 'resume.json')],
];

/** Steers the example, a step at a time. */
export class Steering {
  readonly #kubectl: Kubectl;
  readonly #namespace: string;
  #done = 0;

  constructor(kubectl: Kubectl, namespace: string) {
    this.#kubectl = kubectl;
    this.#namespace = namespace;
  }

  get isDone(): boolean {
    return this.#done === steeringSteps.length;
  }

  /** Does the next step when the workflow is in its state, and says what it did. */
  async attend({ workflows }: Observation): Promise<string | undefined> {
    const [state, patch] = steeringSteps[this.#done] ?? [];
    if (patch === undefined || workflows.get(steeredWorkflow)?.state !== state) return undefined;
    const where = ['patch', 'workflow', steeredWorkflow, '-n', this.#namespace];
    await this.#kubectl.run([...where, '--type', 'merge', '--patch-file', patch]);
    this.#done += 1;
    return `patched with ${patch.slice(ROOT.length)}`;
  }
}
