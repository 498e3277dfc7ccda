import { positionOf, type Position } from './position.ts';
import type { Note } from './parse-yaml.ts';
import { valueOf, type YamlNode } from './yaml-node.ts';

/** One file, or what came in by stdin. */
export interface SourceFile {
  /** As the user named it; `stdin` for `-`. */
  readonly name: string;
  readonly text: string;
}

/** One object in a file, unchecked. */
export interface Manifest {
  readonly file: SourceFile;
  readonly root: YamlNode;
  readonly value: unknown;
  /** Empty where the object says none. */
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  /** Empty where the object says none. */
  readonly namespace: string;
  readonly changes: readonly Note[];
}

export function manifestOf(file: SourceFile, root: YamlNode, changes: readonly Note[]): Manifest {
  const value = valueOf(root);
  const fields = fieldsOf(value);
  const { name, generateName, namespace } = fieldsOf(fields['metadata']);
  return {
    file,
    root,
    value,
    kind: textOf(fields['kind']),
    apiVersion: textOf(fields['apiVersion']),
    // A cluster would put letters behind it.
    name: textOf(name ?? generateName),
    namespace: textOf(namespace),
    changes,
  };
}

function placeOf({ file }: Pick<Manifest, 'file'>, offset: number): Position {
  return positionOf(file.text, offset);
}

/** How people call an object: `Workflow train`, or where it begins when it has no name. */
export function titleOf(manifest: Manifest): string {
  const { kind, name } = manifest;
  if (kind !== '' && name !== '') return `${kind} ${name}`;
  return `${kind === '' ? 'the object' : kind} in line ${placeOf(manifest, manifest.root.start).line}`;
}

export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
