import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { buildTable } from './markdown-table.ts';

interface ValueSchema {
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, ValueSchema>>;
}

/** The chart's own page, from the descriptions in its schema and the defaults in its values. */
export function buildChartReadme(chart: string): string {
  const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as ValueSchema;
  const values = load(readFileSync(join(chart, 'values.yaml'), 'utf8')) as Readonly<Record<string, unknown>>;
  return [
    '<!-- Made by npm run generate from values.schema.json and values.yaml; do not edit. -->',
    '# The Arpeggio chart',
    'Installs the operator, the three CRDs, and the admission policies that go with them, on Kubernetes 1.31 or newer, with Helm 3 or 4.',
    '```\nhelm install arpeggio charts/arpeggio --namespace arpeggio-system --create-namespace\n```',
    'One installation serves a cluster. `helm upgrade` upgrades the CRDs as well; `helm uninstall` leaves them, and with them all TaskQueues, WorkerPools and Workflows, unless `crds.keep` is false.',
    'What it may do in the cluster stands in `templates/operator/role.yaml`: it never lists Secrets, and changes nothing but the status of its own objects, Deployments, Events and one Lease.',
    'The Redis of `redis.enabled` is for trying out only: one copy, no backup, no TLS.',
    '## Values',
    buildTable(['Value', 'Default', 'Meaning'], describe(schema, values, '')),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

function describe(schema: ValueSchema, values: unknown, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    const standard = (values as Readonly<Record<string, unknown>> | undefined)?.[name];
    const path = `${prefix}${name}`;
    // What has a default for the whole, such as resources, is shown whole; what a user sets piece by piece, in pieces.
    if (value.properties !== undefined && !name.endsWith('resources')) return describe(value, standard, `${path}.`);
    if (standard === undefined) return [];
    const choice = value.enum === undefined ? '' : ` One of ${value.enum.join(', ')}.`;
    return [[`\`${path}\``, `\`${JSON.stringify(standard)}\``, `${value.description ?? ''}${choice}`]];
  });
}
