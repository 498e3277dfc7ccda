import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stringifyJson } from '#core/base/json-text.ts';
import { apiVersion } from '#core/resources/api-group.ts';
import { checkManifests, type Checked, type CheckedWorkflow } from '../check/check-manifests.ts';
import { chooseWorkflow } from '../local/choose-workflow.ts';
import { findingText, inOrder, type Finding } from '../manifest/finding.ts';
import type { SourceFile } from '../manifest/manifest.ts';
import type { GivenWorkflow } from './tested-run.ts';
import { parseManifests } from '../manifest/parse-manifests.ts';

export interface TestedWorkflow {
  readonly workflow: CheckedWorkflow;
  readonly queues: Checked['queues'];
}

/** Throws an Error that lists everything that is wrong with the workflow, or with the tasks that it names. */
export function readWorkflow(
  given: GivenWorkflow,
  { name, known }: { readonly name: string | undefined; readonly known: ReadonlySet<string> },
): TestedWorkflow {
  const file = sourceOf(given);
  const { manifests, findings } = parseManifests(file);
  const checked = checkManifests(manifests, { known, severity: 'error', missing: 'the option tasks has not' });
  const wrong = inOrder([...findings, ...checked.findings]).filter(({ severity }) => severity === 'error');
  if (wrong.length > 0)
    throw new Error(wrong.map(given instanceof URL || typeof given === 'string' ? findingText : objectText).join('\n'));
  return {
    workflow: chooseWorkflow(checked.workflows, { file: file.name, name, option: 'the option name: ' }),
    queues: checked.queues,
  };
}

function sourceOf(given: GivenWorkflow): SourceFile {
  if (typeof given === 'string') return { name: 'workflow', text: textOf(given) };
  if (given instanceof URL) return { name: fileURLToPath(given), text: readFileSync(given, 'utf8') };
  const object =
    'kind' in given || 'spec' in given
      ? given
      : { apiVersion, kind: 'Workflow', metadata: { name: 'workflow' }, spec: given };
  // JSON is YAML; in this way an object is checked, and its numbers are read, like a file.
  return { name: 'workflow', text: stringifyJson(object) };
}

/** Throws for a path: text is the YAML itself. */
function textOf(given: string): string {
  if (!/^[^\n:{]+\.(ya?ml|json)$/.test(given)) return given;
  throw new Error(`${given} is read as YAML text and is a path; give a URL: new URL('${given}', import.meta.url)`);
}

/** An object has fields and no lines. */
function objectText({ path, message }: Finding): string {
  return path === undefined ? message : `${path}: ${message}`;
}
