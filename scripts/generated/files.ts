import { join } from 'node:path';
import { dump } from 'js-yaml';
import { resourceNames, type ResourceKind } from '#core/resources/api-group.ts';
import { buildCustomResourceDefinition } from '#core/resources/crd/custom-resource-definition.ts';
import { findStructuralViolations } from '#core/resources/crd/structural-violations.ts';
import { buildFrozenSpecExpression } from '#core/resources/frozen-spec.ts';
import { mutableSpecKeys } from '#core/resources/workflow.ts';
import { buildChartReadme } from './chart-readme.ts';
import { buildReferencePage } from './reference-page.ts';

const header = '# Made by npm run generate from core/resources; do not edit.\n';

/** Every generated file: its path in the repository and its whole text. Throws if a schema is none that a CRD may have. */
export function buildGeneratedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const kind of Object.keys(resourceNames) as ResourceKind[]) {
    const { plural } = resourceNames[kind];
    files.set(`crds/${plural}.yaml`, header + crdYaml(kind));
    files.set(`charts/arpeggio/templates/crds/${plural}.yaml`, buildChartCopy(crdYaml(kind)));
  }
  files.set('charts/arpeggio/templates/_generated.tpl', buildChartDefinitions());
  files.set('charts/arpeggio/README.md', buildChartReadme(join(import.meta.dirname, '..', '..', 'charts', 'arpeggio')));
  files.set('docs/reference.md', buildReferencePage());
  return files;
}

function crdYaml(kind: ResourceKind): string {
  const definition = buildCustomResourceDefinition(kind);
  const violations = findStructuralViolations(definition.spec.versions[0].schema.openAPIV3Schema, kind);
  if (violations.length > 0) throw new Error(`no API server takes this schema: ${violations.join('; ')}`);
  return dump(definition, { noRefs: true, lineWidth: -1 });
}

/** The same CRD within Helm's switches: installed and upgraded with the chart, and kept when the chart goes. */
function buildChartCopy(yaml: string): string {
  if (yaml.includes('{{')) throw new Error('a description holds {{, which Helm would take for its own');
  const kept = yaml.replace(/^metadata:\n( {2}name: .*\n)/m, (_, name: string) => `metadata:\n${name}${chartMetadata}`);
  return `{{- if .Values.crds.install }}\n${header}${kept}{{- end }}\n`;
}

const chartMetadata = `  labels:
    {{- include "arpeggio.labels" . | nindent 4 }}
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
`;

function buildChartDefinitions(): string {
  return `{{- /* Made by npm run generate from core/resources; do not edit. */ -}}
{{- define "arpeggio.frozenSpecExpression" -}}
${buildFrozenSpecExpression()}
{{- end -}}
{{- define "arpeggio.mutableSpecKeys" -}}
${mutableSpecKeys.slice(0, -1).join(', ')} and ${mutableSpecKeys.at(-1) ?? ''}
{{- end -}}
`;
}
