import { apiVersion } from '#core/resources/api-group.ts';
import { nearestWord } from '#core/base/nearest-word.ts';
import { objectName } from '#core/resources/leaf.ts';
import { findingAt, findingOf, type Finding } from '../manifest/finding.ts';
import { fieldsOf, type Manifest } from '../manifest/manifest.ts';

const kinds = ['Workflow', 'TaskQueue', 'WorkerPool'] as const;
export type Kind = (typeof kinds)[number];

const topKeys = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];
const group = apiVersion.split('/')[0] ?? '';
/** The name of a pool stands in a label of its pods. */
const longestPoolName = 63;

export function kindOf({ kind }: Manifest): Kind | undefined {
  return kinds.find((each) => each === kind);
}

/** An object of somebody else: a Secret, a Namespace. Nothing is said about it. */
export function isForeign({ kind, apiVersion: version }: Manifest): boolean {
  return kind !== '' && version !== '' && !version.startsWith(`${group}/`) && !kinds.some((each) => each === kind);
}

/** What is wrong with an object around its spec. */
export function checkObject(manifest: Manifest): readonly Finding[] {
  const said: Finding[] = [];
  const refuse = (path: string, message: string): void => {
    said.push(findingOf(manifest, path, { severity: 'error', message }));
  };
  const fields = fieldsOf(manifest.value);
  if (fields['apiVersion'] === undefined && fields['kind'] === undefined) {
    const message = `does not say what it is; a Workflow begins with apiVersion: ${apiVersion} and kind: Workflow`;
    return [findingAt(manifest.file, manifest.root.start, { severity: 'error', message })];
  }
  if (manifest.apiVersion !== apiVersion) refuse('apiVersion', `must be ${apiVersion}`);
  if (kindOf(manifest) === undefined) refuse('kind', kindMessage(manifest.kind));
  for (const key of Object.keys(fields)) {
    if (topKeys.includes(key)) continue;
    const near = nearestWord(key, topKeys);
    refuse(
      key,
      near === undefined
        ? 'unknown field; known here are ' + topKeys.join(', ')
        : `unknown field; did you mean ${near}?`,
    );
  }
  checkName(manifest, refuse);
  // A TaskQueue may be a name and nothing else.
  if (fields['spec'] === undefined && kindOf(manifest) !== 'TaskQueue')
    refuse('spec', 'is missing; it says what is wanted');
  return said;
}

function kindMessage(kind: string): string {
  const near = nearestWord(kind, kinds);
  return near === undefined ? `must be one of ${kinds.join(', ')}` : `there is no such kind; did you mean ${near}?`;
}

function checkName(manifest: Manifest, refuse: (path: string, message: string) => void): void {
  const metadata = fieldsOf(fieldsOf(manifest.value)['metadata']);
  const { name, generateName } = metadata;
  if (name === undefined) {
    if (typeof generateName !== 'string') refuse('metadata.name', 'is missing; give the object a name');
    return;
  }
  const parsed = objectName().safeParse(name);
  if (!parsed.success) refuse('metadata.name', parsed.error.issues[0]?.message ?? 'is no object name');
  else if (manifest.kind === 'WorkerPool' && parsed.data.length > longestPoolName)
    refuse(
      'metadata.name',
      `may have ${longestPoolName} characters at most, for it stands in a label of the pool's pods`,
    );
}
