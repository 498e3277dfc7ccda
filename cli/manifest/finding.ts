import type { Position } from './position.ts';
import { positionOf } from './position.ts';
import type { Manifest, SourceFile } from './manifest.ts';
import { findNode, stepsOf, type YamlNode } from './yaml-node.ts';

export type Severity = 'error' | 'warning';

/** Something that is said about a place in a file. */
export interface Finding extends Position {
  readonly severity: Severity;
  readonly file: string;
  /** Where in the object, such as `spec.chain[2].args`; absent for what is about the file. */
  readonly path?: string;
  readonly message: string;
}

const shownCharacters = 60;

/** `train.yaml:12:7: error: spec.chain[2].args: must be a list; it is 5` — one line, as compilers write it. */
export function findingText({ file, line, column, severity, path, message }: Finding): string {
  return `${file}:${line}:${column}: ${severity}: ${path === undefined ? '' : `${path}: `}${message}`;
}

export function findingAt(
  { name, text }: SourceFile,
  offset: number,
  { severity, message }: Pick<Finding, 'severity' | 'message'>,
): Finding {
  return { severity, file: name, ...positionOf(text, offset), message };
}

/** The same about a field of an object, with the value that stands there when it is short. */
export function findingOf(
  { file, root }: Pick<Manifest, 'file' | 'root'>,
  path: string,
  { severity, message }: Pick<Finding, 'severity' | 'message'>,
): Finding {
  const found = findNode(root, stepsOf(path));
  const value = found.isWhole && !message.startsWith('unknown field') ? shownValue(found.node) : undefined;
  const isSaid = value === undefined || message.includes(`is ${value}`);
  const text = isSaid ? message : `${message}; it is ${value}`;
  return { severity, file: file.name, ...positionOf(file.text, found.start), path, message: text };
}

function shownValue(node: YamlNode): string | undefined {
  if (node.kind !== 'Scalar') return undefined;
  const text = typeof node.value === 'string' ? JSON.stringify(node.text) : node.text === '' ? 'null' : node.text;
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === 'error');
}

/** The errors, and the warnings about their very places: a key that YAML reads as `true` explains the unknown field. */
export function errorsExplained(findings: readonly Finding[]): readonly Finding[] {
  const place = ({ file, line, column }: Finding): string => `${file}:${line}:${column}`;
  const wrong = new Set(findings.filter(({ severity }) => severity === 'error').map(place));
  return findings.filter((finding) => wrong.has(place(finding)));
}

/** By file as given, then from top to bottom; the same thing said twice is said once. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const files = [...new Set(findings.map(({ file }) => file))];
  const sorted = findings.toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
  return [...new Map(sorted.map((finding) => [findingText(finding), finding])).values()];
}
