import type { CheckedWorkflow } from '../check/check-manifests.ts';
import { Unusable } from '../exit-code.ts';

export interface Choice {
  readonly file: string;
  readonly name: string | undefined;
  /** How a user says which: what stands before the name. */
  readonly option: string;
}

/** The one that is meant. Throws `Unusable`, naming those there are. */
export function chooseWorkflow(workflows: readonly CheckedWorkflow[], { file, name, option }: Choice): CheckedWorkflow {
  const names = workflows.map(({ manifest }) => manifest.name);
  const [first, ...others] =
    name === undefined ? workflows : workflows.filter(({ manifest }) => manifest.name === name);
  if (first !== undefined && others.length === 0) return first;
  if (workflows.length === 0)
    throw new Unusable(`${file} holds no Workflow; TaskQueues and WorkerPools alone run nothing`);
  if (first === undefined) throw new Unusable(`${file} holds no Workflow ${name ?? ''}; there are ${names.join(', ')}`);
  throw new Unusable(
    `${file} holds ${workflows.length} Workflows: choose one with ${option}${names.join(` or ${option}`)}`,
  );
}
