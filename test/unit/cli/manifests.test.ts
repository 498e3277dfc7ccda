import { describe, expect, test } from 'vitest';
import { stringifyJson } from '#core/base/json-text.ts';
import { findingText } from '#cli/manifest/finding.ts';
import { parseManifests } from '#cli/manifest/parse-manifests.ts';
import { findNode, stepsOf } from '#cli/manifest/yaml-node.ts';
import { positionOf } from '#cli/manifest/position.ts';

const parse = (text: string) => parseManifests({ name: 'f.yaml', text });
const valueIn = (text: string): string => stringifyJson(parse(text).manifests[0]?.value);

describe('the objects of a file', () => {
  test('are read one by one, and one that is broken hides no other', () => {
    const { manifests, findings } = parse('kind: A\n---\n{[}\n---\nkind: B\n---\n# nothing\n');
    expect(manifests.map(({ kind }) => kind)).toEqual(['A', 'B']);
    expect(findings.map(findingText)).toEqual([expect.stringMatching(/^f\.yaml:3:\d+: error: is not YAML: /)]);
  });

  test('are YAML with anchors, merges and blocks', () => {
    expect(valueIn('a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\nc: |\n  two\n  lines\n')).toBe(
      '{"a":{"p":1,"q":2},"b":{"q":3,"p":1},"c":"two\\nlines\\n"}',
    );
  });

  test('are JSON as well, with the text of numbers', () => {
    expect(valueIn('{"a": [9007199254740993, 0.1, "1.0", true, null]}')).toBe(
      '{"a":[9007199254740993,0.1,"1.0",true,null]}',
    );
  });

  test('of a List are those that it holds, each with its own warnings', () => {
    const { manifests } = parse(
      'kind: List\nitems:\n  - {kind: A, metadata: {name: a}}\n  - {kind: B, metadata: {name: b}, x: 1.0}\n',
    );
    expect(manifests.map(({ kind, name, changes }) => [kind, name, changes.length])).toEqual([
      ['A', 'a', 0],
      ['B', 'b', 1],
    ]);
  });

  test('may have keys that are no text', () => {
    expect(valueIn('1: a\ntrue: b\n1.5: c\n__proto__: d\n')).toBe('{"1":"a","true":"b","1.5":"c","__proto__":"d"}');
  });

  test.each([
    ['', '1:1: error: holds no object'],
    ['- a\n', '1:1: error: is a list and no Kubernetes object'],
    ['text\n', '1:1: error: is text and no Kubernetes object'],
    ['a: 1\nb:\n  c: 1\n  c: 2\n', '4:3: error: stands a second time; kubectl would keep the last c only'],
    ['a: *x\n', '1:'],
    ['~: a\n', 'a key must be text'],
    ['a: .nan\n', '1:4: error: .nan is no number of JSON'],
    ['<<: 5\n', '<< takes an object'],
    ['a:\n\t- b\n', '2:1: error: is not YAML: tab characters must not be used'],
  ])('%j: %s', (text, said) => {
    expect(parse(text).findings.map(findingText).join('\n')).toContain(said);
  });

  test('do not grow without bound by aliases of aliases', () => {
    const lines = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`);
    const { findings } = parse(`a0: &a0 [x]\n${lines.join('\n')}\n`);
    expect(findings[0]?.message).toContain('aliases within aliases');
  });
});

describe('a place', () => {
  const text = 'spec:\n  chain:\n    - task: a\n      args: [1, {"odd key": 2}]\n';
  const root = parse(text).manifests[0]!.root;

  test.each([
    ['spec.chain[0].task', '3:7'],
    ['spec.chain[0].args[1]', '4:17'],
    ['spec.chain[0].args[1]."odd key"', '4:18'],
    ['spec.chain[0].kwargs.x', '3:7'],
    ['spec.chain[7]', '2:3'],
  ])('%s is found at %s, or where it would stand', (path, at) => {
    const { line, column } = positionOf(text, findNode(root, stepsOf(path)).start);
    expect(`${line}:${column}`).toBe(at);
  });
});
