import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../test/cluster/kube-api.ts';
import { ROOT } from '../command.ts';
import type { Kubectl } from './kubectl.ts';
import { isAllAtZero, isOver, nothingSeen, observe, type Observation } from './observation.ts';
import { Steering, steeredWorkflow } from './steering.ts';

const LOOK_EVERY_MS = 1_000;

/** The workflows of all examples: one file in each folder. */
function workflowFiles(): string[] {
  return readdirSync(join(ROOT, 'examples'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(ROOT, 'examples', name, 'workflow.yaml'));
}

/** Queues and pools as if they had never been there: without a pod. What an earlier run left goes first. */
export async function applyPools(kubectl: Kubectl, namespace: string): Promise<void> {
  const kinds = 'workflows,workerpools,taskqueues';
  await kubectl.run(['delete', kinds, '--all', '-n', namespace, '--wait', '--timeout=180s']);
  await kubectl.run(['delete', 'pods', '-l', 'arpeggio.dev/pool', '-n', namespace, '--wait', '--timeout=180s']);
  await kubectl.run(['apply', '-n', namespace, '-f', join(ROOT, 'examples/pools.yaml')]);
  // Messages that an interrupted run left in a queue are work: pods come for them, and go again after scaleDownDelay.
  await until('every pool at zero, by its own status', 300_000, async () =>
    isAllAtZero(await observe(kubectl, namespace, nothingSeen)),
  );
}

/** Applies the workflows of all examples. */
export async function applyWorkflows(kubectl: Kubectl, namespace: string): Promise<void> {
  await kubectl.run(['apply', '-n', namespace, ...workflowFiles().flatMap((file) => ['-f', file])]);
}

/**
 * Looks once a second until every workflow is over or time is up; tells what has changed since the last look. Meanwhile
 * the one that waits for people is steered.
 */
export async function watchWorkflows(
  kubectl: Kubectl,
  namespace: string,
  options: { readonly withinMs: number; readonly tell: (line: string) => void },
): Promise<Observation> {
  const endMs = performance.now() + options.withinMs;
  let seen = nothingSeen;
  const told = new Map<string, string>();
  const steering = new Steering(kubectl, namespace);
  for (;;) {
    const lookedAt = performance.now();
    seen = await observe(kubectl, namespace, seen);
    for (const [subject, line] of linesOf(seen)) {
      if (told.get(subject) !== line) options.tell(`${subject.padEnd(24)} ${line}`);
      told.set(subject, line);
    }
    const steered = await steering.attend(seen);
    if (steered !== undefined) options.tell(`workflow ${steeredWorkflow}`.padEnd(24) + ` ${steered}`);
    const states = [...seen.workflows.values()];
    if ((steering.isDone && states.every(isOver)) || performance.now() > endMs) return seen;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, lookedAt + LOOK_EVERY_MS - performance.now())));
  }
}

function linesOf(seen: Observation): [subject: string, line: string][] {
  const workflows = [...seen.workflows].map(
    ([name, { state = 'Pending', progress = '', step = '' }]): [string, string] => [
      `workflow ${name}`,
      [state, progress, step].filter((word) => word !== '').join(' '),
    ],
  );
  const pools = [...seen.pools].map(([name, { replicas = 0, lastDecision, conditions = [] }]): [string, string] => {
    const ready = conditions.find(({ type }) => type === 'Ready')?.reason ?? 'Pending';
    const wanted = lastDecision === undefined ? '' : `, ${lastDecision.replicas} wanted (${lastDecision.reason})`;
    return [`pool ${name}`, `${ready} ${replicas} pods${wanted}`];
  });
  return [...workflows, ...pools];
}
