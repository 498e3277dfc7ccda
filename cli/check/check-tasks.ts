import { nearestWord } from '#core/base/nearest-word.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import { graphOf, type GraphNode } from '../graph/graph-node.ts';
import { findingOf, type Finding, type Severity } from '../manifest/finding.ts';
import type { Manifest } from '../manifest/manifest.ts';

/** The tasks there are, where they come from, and how grave it is to name another. */
export interface KnownTasks {
  readonly known: ReadonlySet<string>;
  readonly severity: Severity;
  /** Such as `no module given by --tasks exports`. */
  readonly missing: string;
}

export const missingFromModules = 'no module given by --tasks exports';

/** Tasks that a Workflow names and that are not there. */
export function checkTasks(
  manifest: Manifest,
  spec: WorkflowSpec,
  { known, severity, missing }: KnownTasks,
): readonly Finding[] {
  return tasksIn(graphOf(spec))
    .filter(({ task }) => !known.has(task))
    .map(({ path, task }) => {
      const near = nearestWord(task, [...known]);
      const wayOut = near === undefined ? `there are ${namesText(known)}` : `did you mean ${near}?`;
      return findingOf(manifest, path, {
        severity,
        message: `${missing} this task; ${wayOut}`,
      });
    });
}

function tasksIn(node: GraphNode): readonly { readonly path: string; readonly task: string }[] {
  const below = node.children.flatMap(tasksIn);
  if (node.kind === 'task') return [{ path: `${node.path}.task`, task: node.label }, ...below];
  if (node.kind !== 'map' || node.label === 'map') return below;
  return [{ path: `${node.path}.map.task`, task: node.label.slice('map '.length) }, ...below];
}

const mostNames = 12;

function namesText(known: ReadonlySet<string>): string {
  const names = [...known].sort();
  if (names.length === 0) return 'none at all';
  const hidden = names.length - mostNames;
  return names.slice(0, mostNames).join(', ') + (hidden > 0 ? ` and ${hidden} more` : '');
}
