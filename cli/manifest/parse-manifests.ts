import { findingAt, type Finding } from './finding.ts';
import { manifestOf, type Manifest, type SourceFile } from './manifest.ts';
import { parseYaml, type Note } from './parse-yaml.ts';
import type { MappingNode } from './yaml-node.ts';

export interface ParsedFile {
  readonly manifests: readonly Manifest[];
  /** What is no YAML, or no object. */
  readonly findings: readonly Finding[];
}

/** Every object in a file. A document that cannot be read hides no other. */
export function parseManifests(file: SourceFile): ParsedFile {
  const manifests: Manifest[] = [];
  const findings: Finding[] = [];
  for (const { text, base } of documentsIn(file.text)) {
    const parsed = parseYaml(text, base);
    if (!parsed.ok) {
      findings.push(findingAt(file, parsed.error.offset, { severity: 'error', message: parsed.error.message }));
      continue;
    }
    const { root, changes } = parsed.value;
    if (root === undefined || (root.kind === 'Scalar' && root.value === null)) continue;
    if (root.kind === 'Mapping') manifests.push(...objectsOf(file, root, changes));
    else findings.push(findingAt(file, root.start, { severity: 'error', message: notAnObject(root.kind) }));
  }
  if (manifests.length === 0 && findings.length === 0) {
    const message = 'holds no object; a Workflow begins with apiVersion: arpeggio.dev/v1alpha1 and kind: Workflow';
    findings.push(findingAt(file, 0, { severity: 'error', message }));
  }
  return { manifests, findings };
}

/** A `List`, as kubectl get writes several objects, is what it holds. */
function objectsOf(file: SourceFile, root: MappingNode, changes: readonly Note[]): readonly Manifest[] {
  const items = root.entries.get('items')?.node;
  const kind = root.entries.get('kind')?.node;
  const isList = kind?.kind === 'Scalar' && kind.value === 'List' && items?.kind === 'Sequence';
  if (!isList) return [manifestOf(file, root, changes)];
  return items.items.map((item, index) => {
    const end = items.items[index + 1]?.start ?? Number.POSITIVE_INFINITY;
    const within = changes.filter(({ offset }) => offset >= item.start && offset < end);
    return manifestOf(file, item, within);
  });
}

function notAnObject(kind: 'Scalar' | 'Sequence'): string {
  return `is ${kind === 'Scalar' ? 'text' : 'a list'} and no Kubernetes object; put --- between objects`;
}

/** Split as kubectl splits, at lines that begin with three dashes, so that each document is read for itself. */
function documentsIn(text: string): readonly { readonly text: string; readonly base: number }[] {
  const starts = [0, ...[...text.matchAll(/^---(?=\s|$)/gm)].map(({ index }) => index).filter((index) => index > 0)];
  return starts.map((base, index) => ({ text: text.slice(base, starts[index + 1]), base }));
}
