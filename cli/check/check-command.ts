import type { CheckCommand } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { graphOf, rowText } from '../graph/graph-element.ts';
import { mermaidText } from '../graph/mermaid.ts';
import { treeRows } from '../graph/tree-rows.ts';
import { findingText, hasErrors, inOrder, type Finding } from '../manifest/finding.ts';
import { titleOf } from '../manifest/manifest.ts';
import { parseManifests } from '../manifest/parse-manifests.ts';
import { readSource } from '../manifest/read-source.ts';
import { readTaskNames } from '../local/task-modules.ts';
import type { Terminal } from '../show/terminal.ts';
import { missingFromModules } from './check-tasks.ts';
import { checkManifests, type Checked, type CheckedWorkflow } from './check-manifests.ts';

/** Of one element; a group of hundreds is told by its first members. */
const mostChildren = 40;

/** `arpeggio check`. Throws `Unusable`. */
export async function performCheck(command: CheckCommand, terminal: Terminal): Promise<ExitCode> {
  const files = (await Promise.all(command.files.map(readSource))).map(parseManifests);
  const known = command.tasks.length === 0 ? undefined : await readTaskNames(command.tasks);
  const tasks =
    known === undefined ? undefined : ({ known, severity: 'warning', missing: missingFromModules } as const);
  const checked = checkManifests(
    files.flatMap(({ manifests }) => manifests),
    tasks,
  );
  const findings = inOrder([...files.flatMap((file) => file.findings), ...checked.findings]);
  if (command.output === 'json') terminal.out(`${JSON.stringify(findings, undefined, 2)}\n`);
  else {
    showFindings(findings, terminal);
    terminal.out(checked.workflows.map((workflow) => drawn(workflow, command)).join('\n'));
    terminal.err(`${summaryOf(checked, findings)}\n`);
  }
  return hasErrors(findings) ? exitCodes.Unusable : exitCodes.Succeeded;
}

export function showFindings(findings: readonly Finding[], terminal: Terminal): void {
  for (const finding of findings) {
    const colour = finding.severity === 'error' ? 'red' : 'yellow';
    const text = findingText(finding);
    const mark = `${finding.severity}:`;
    terminal.err(`${text.replace(mark, () => terminal.style(colour, mark))}\n`);
  }
}

function drawn({ manifest, spec }: CheckedWorkflow, { graph }: CheckCommand): string {
  if (graph === 'none') return '';
  const root = graphOf(spec);
  if (graph === 'mermaid') return mermaidText(root);
  const rows = treeRows(root, { mostChildren }).map(({ lead, element, hidden }) =>
    element === undefined ? `${lead}… ${hidden ?? 0} more` : `${lead}${rowText(element)}`,
  );
  return `${titleOf(manifest)}\n${rows.join('\n')}\n`;
}

function summaryOf({ workflows, queues, pools, foreign }: Checked, findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const objects = [
    counted(workflows.length, 'sound Workflow'),
    counted(queues.length, 'TaskQueue'),
    counted(pools.length, 'WorkerPool'),
    ...(foreign.length === 0 ? [] : [`${counted(foreign.length, 'object')} of other kinds, not looked at`]),
  ];
  const found = `${counted(errors, 'error')}, ${counted(findings.length - errors, 'warning')}`;
  return `${found} (${objects.join(', ')})`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
