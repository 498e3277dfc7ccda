import { readdirSync, readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import { taskQueueSpecSchema } from '#core/resources/task-queue.ts';
import { workerPoolSpecSchema } from '#core/resources/worker-pool.ts';
import { loadTasks } from '#worker/tasks/load-tasks.ts';

type Manifest = { readonly kind: string; readonly metadata: { readonly name: string }; readonly spec: unknown };

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const manifestsIn = (text: string): Manifest[] =>
  (loadAll(text) as (Manifest | null)[]).filter((each) => each !== null);

const folders = readdirSync(new URL('examples', root), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `examples/${name}`);
const files = ['examples/pools.yaml', ...folders.map((folder) => `${folder}/workflow.yaml`)];
const fromFiles = files.flatMap((file) => manifestsIn(read(file)).map((manifest) => ({ where: file, manifest })));
const fromReadme = [...read('README.md').matchAll(/```yaml\n([\s\S]*?)```/g)]
  .flatMap(([, text]) => manifestsIn(text ?? ''))
  .map((manifest) => ({ where: 'README.md', manifest }));
const all = [...fromFiles, ...fromReadme].map((each) => ({
  ...each,
  name: `${each.manifest.kind} ${each.manifest.metadata.name}`,
}));

/** Every task name that stands anywhere in a spec. */
function tasksIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(tasksIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    key === 'task' ? [String(each)] : key === 'args' || key === 'kwargs' ? [] : tasksIn(each),
  );
}

describe('what is shown to users', () => {
  test('is more than a few', () => expect(all.length).toBeGreaterThan(12));

  test.each(all)('$where: $name is accepted as it stands', ({ manifest }) => {
    if (manifest.kind === 'TaskQueue') expect(taskQueueSpecSchema.safeParse(manifest.spec).error).toBeUndefined();
    else if (manifest.kind === 'WorkerPool')
      expect(workerPoolSpecSchema.safeParse(manifest.spec).error).toBeUndefined();
    else expect(parseWorkflowSpec(manifest.spec)).toMatchObject({ ok: true });
  });

  test.each(folders)('%s: its tasks are in the image of the examples', (folder) => {
    const name = folder.slice('examples/'.length);
    expect(read('examples/Dockerfile')).toContain(`COPY ${name}/*.ts /app/tasks/${name}/\n`);
  });

  test.each(['resume', 'cancel', 'retry'])('examples/steered/%s.json makes another acceptable spec of it', (name) => {
    const [steered] = manifestsIn(read('examples/steered/workflow.yaml'));
    const patch = JSON.parse(read(`examples/steered/${name}.json`)) as { spec: object };
    const patched = { ...(steered?.spec as object), ...patch.spec };
    expect(patched).not.toEqual(steered?.spec);
    expect(Object.keys(patch.spec).filter((key) => !Object.hasOwn(steered?.spec as object, key))).toEqual([]);
    expect(parseWorkflowSpec(patched)).toMatchObject({ ok: true });
  });

  test.each(fromFiles.filter(({ manifest }) => manifest.kind === 'Workflow'))(
    '$where: every task it names is one that a module of the examples exports',
    async ({ manifest }) => {
      const registry = await loadTasks(new URL('examples', root).pathname);
      expect(tasksIn(manifest.spec).filter((task) => !registry.has(task))).toEqual([]);
    },
  );
});
