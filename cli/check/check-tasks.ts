import { nearestWord } from '#core/base/nearest-word.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import { graphOf, type GraphElement } from '../graph/graph-element.ts';
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

function tasksIn(element: GraphElement): readonly { readonly path: string; readonly task: string }[] {
  const below = element.children.flatMap(tasksIn);
  if (element.kind === 'task') return [{ path: `${element.path}.task`, task: element.label }, ...below];
  if (element.kind !== 'map' || element.label === 'map') return below;
  return [{ path: `${element.path}.map.task`, task: element.label.slice('map '.length) }, ...below];
}

const mostNames = 12;

function namesText(known: ReadonlySet<string>): string {
  const names = [...known].sort();
  if (names.length === 0) return 'none at all';
  const hidden = names.length - mostNames;
  return names.slice(0, mostNames).join(', ') + (hidden > 0 ? ` and ${hidden} more` : '');
}
