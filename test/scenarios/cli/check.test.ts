import { describe, expect, test } from 'vitest';
import { arpeggio, CliProcess } from './process.ts';

const examples = ['image-thumbnail', 'ml-pipeline', 'risky-division', 'sum-of-squares'].map(
  (name) => `examples/${name}/workflow.yaml`,
);

describe('arpeggio check', () => {
  test('finds nothing wrong with the examples, and draws them', async () => {
    const { code, out, err } = await arpeggio('check', ...examples, 'examples/pools.yaml', '--tasks', 'examples');
    expect(code).toBe(0);
    expect(err).toBe('0 errors, 0 warnings (5 sound Workflows, 3 TaskQueues, 3 WorkerPools)\n');
    expect(out).toContain('Workflow ml-pipeline\nchain\n├─ load_data\n├─ group\n│  ├─ preprocess\n');
  });

  test('says all that is wrong with a file, one a line, and ends with 2', async () => {
    const stdin =
      'apiVersion: arpeggio.dev/v1alpha1\nkind: Workflow\nmetadata: { name: x }\nspec:\n  chain:\n    - tsk: a\n    - { task: b, args: 1 }\n';
    const { code, out, err } = await new CliProcess(['check', '-'], { stdin }).ended;
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.split('\n').filter((line) => /^stdin:\d+:\d+: error: spec\.chain\[[01]\]/.test(line))).toHaveLength(3);
  });

  test('warnings alone are no failure', async () => {
    const stdin =
      'apiVersion: arpeggio.dev/v1alpha1\nkind: Workflow\nmetadata: { name: x }\nspec: { task: a, args: [1.0] }\n';
    const { code, err } = await new CliProcess(['check', '-'], { stdin }).ended;
    expect(code).toBe(0);
    expect(err).toContain('stdin:4:25: warning: the API server would serve 1.0 as 1');
  });

  test('--graph mermaid can be pasted, --output json can be read', async () => {
    const mermaid = await arpeggio('check', 'examples/sum-of-squares/workflow.yaml', '-g', 'mermaid');
    expect(mermaid.out).toMatch(/^flowchart TD\n/);
    const json = await arpeggio(
      'check',
      'examples/sum-of-squares/workflow.yaml',
      '-t',
      'examples/risky-division',
      '-o',
      'json',
    );
    expect(json.code).toBe(0);
    expect(JSON.parse(json.out)).toContainEqual(
      expect.objectContaining({ severity: 'warning', line: 9, path: 'spec.chord.header[0].task' }),
    );
  });
});
