import { findingAt, findingOf, type Finding } from '../manifest/finding.ts';
import { fieldsOf, type Manifest } from '../manifest/manifest.ts';

/** Where a cluster would make something else of the file than it says. */
export function apiServerChanges(manifest: Manifest): readonly Finding[] {
  const changes = manifest.changes.map(({ offset, message }) =>
    findingAt(manifest.file, offset, { severity: 'warning', message }),
  );
  return [...changes, ...droppedNulls(fieldsOf(manifest.value)['spec'], 'spec', false).map(toFinding)];

  function toFinding(path: string): Finding {
    const message =
      'client-side kubectl apply leaves out null in an object: use kubectl create or kubectl apply --server-side, or leave it out';
    return findingOf(manifest, path, { severity: 'warning', message });
  }
}

/** Nulls in objects within arguments. */
function droppedNulls(value: unknown, path: string, isArgument: boolean): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => droppedNulls(item, `${path}[${index}]`, isArgument));
  return Object.entries(fieldsOf(value)).flatMap(([key, item]) => {
    const inner = `${path}.${/^[\w$-]+$/.test(key) ? key : JSON.stringify(key)}`;
    if (item === null) return isArgument ? [inner] : [];
    return droppedNulls(item, inner, isArgument || key === 'args' || key === 'kwargs' || key === 'over');
  });
}
