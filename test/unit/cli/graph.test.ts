import { describe, expect, test } from 'vitest';
import { graphOf, rowText } from '#cli/graph/graph-element.ts';
import { mermaidText } from '#cli/graph/mermaid.ts';
import { treeRows } from '#cli/graph/tree-rows.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';

function specOf(value: object): WorkflowSpec {
  const parsed = parseWorkflowSpec(value);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

function drawn(value: object, mostChildren = 40): string {
  return treeRows(graphOf(specOf(value)), { mostChildren })
    .map(({ lead, element, hidden }) =>
      element === undefined ? `${lead}${hidden ?? 0} more` : `${lead}${rowText(element)}`,
    )
    .join('\n');
}

const everything = {
  chain: [
    { task: 'load', name: 'loaded', queue: 'io', retry: { maxRetries: 5 } },
    { group: [{ task: 'a' }, { chain: [{ task: 'b' }, { task: 'c', immutable: true }] }] },
    { map: { each: { task: 'square' }, over: [1, 2, 3] } },
    { chord: { header: [{ task: 'd' }], body: { task: 'e', when: 'result > 1' } } },
    { map: { task: 'save', range: 4, chunk: 2 }, onFailure: 'Continue' },
  ],
  link: [{ task: 'told' }],
  finally: [{ task: 'tidy' }],
};

describe('the tree of a graph', () => {
  test('shows every kind of element, what runs how, and handlers', () => {
    expect(drawn(everything)).toBe(`chain
├─ load (loaded)  [queue=io, retry=5]
├─ group
│  ├─ a
│  └─ chain
│     ├─ b
│     └─ c  [immutable]
├─ map  [over 3 items]
│  └─ each: square
├─ chord
│  ├─ d
│  └─ body: e  [when result > 1]
├─ map save  [over range 4 chunk=2, onFailure=Continue]
├─ link: told
└─ finally: tidy`);
  });

  test('counts what there is no room for', () => {
    const group = Array.from({ length: 100 }, () => ({ task: 't' }));
    expect(drawn({ group }, 2)).toBe('group\n├─ t\n├─ t\n└─ 98 more');
  });

  test('shows first what matters more, in the order of the file', () => {
    const root = graphOf(specOf({ group: [{ task: 'a' }, { task: 'b' }, { task: 'c' }] }));
    const rows = treeRows(root, { mostChildren: 2, mattersMore: ({ label }) => (label === 'c' ? 1 : 0) });
    expect(rows.map(({ element }) => element?.label)).toEqual(['group', 'a', 'c', undefined]);
  });
});

describe('the graph in Mermaid', () => {
  test('has an arrow for each need', () => {
    expect(
      mermaidText(
        graphOf(specOf({ chain: [{ task: 'a' }, { group: [{ task: 'b' }, { task: 'c' }] }, { task: 'd' }] })),
      ),
    ).toBe(
      `flowchart TD
  s1["a"]
  s2["b"]
  s3["c"]
  s1 --> s2
  s1 --> s3
  s4["d"]
  s2 --> s4
  s3 --> s4
`,
    );
  });

  test('lets many to many meet in a point, and draws handlers apart', () => {
    const pair = { group: [{ task: 'a' }, { task: 'b' }] };
    const text = mermaidText(graphOf(specOf({ chain: [pair, pair], finally: [{ task: 'z' }] })));
    expect(text.match(/-->/g)).toHaveLength(4);
    expect(text).toContain('((" "))');
    expect(text.match(/-\. finally \.->/g)).toHaveLength(2);
  });

  test('lets no text of a user break out of its label', () => {
    const text = mermaidText(graphOf(specOf({ chain: [{ task: 'a' }, { task: 'b', when: 'result == "x]; end"' }] })));
    expect(text).toContain('s2["b  [when result == #quot;x]; end#quot;]"]');
  });

  test('draws what every item of a map runs as a box', () => {
    const text = mermaidText(graphOf(specOf(everything)));
    expect(text).toContain('subgraph');
    expect(text).toContain('[["map save');
  });
});
