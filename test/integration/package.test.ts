import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'arpeggio-package-'));
const user = join(folder, 'user');
const env = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
  // Whether there is a newer npm is asked of the network, and not what is tested.
  npm_config_update_notifier: 'false',
  npm_config_offline: 'true',
};

const workflow = {
  apiVersion: 'arpeggio.dev/v1alpha1',
  kind: 'Workflow',
  metadata: { name: 'try' },
  spec: { chain: [{ task: 'load' }, { map: { task: 'square' } }] },
};

const tasks = `import { current, task } from 'arpeggio';
export function load(): number[] { current().log.info('loading'); return [1, 2, 3]; }
export const square = task({ inline: true }, (x: number): number => x * x);
`;

const tests = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runWorkflow, sleep, type TestedRun } from 'arpeggio/testing';
import * as tasks from './tasks.ts';
test('squares', async () => {
  const slow = async (x: number): Promise<number> => { await sleep('3h'); return x; };
  const run: TestedRun = await runWorkflow(new URL('./workflow.json', import.meta.url), { tasks: { ...tasks, square: slow } });
  assert.deepEqual(run.result, [1, 2, 3]);
  assert.equal(run.clock.elapsedMs, 3 * 3_600_000);
});
`;

const tsconfig = {
  compilerOptions: {
    ...{ strict: true, module: 'nodenext', target: 'es2022', types: [], noEmit: true, skipLibCheck: false },
    ...{ allowImportingTsExtensions: true, lib: ['es2022', 'dom'] },
  },
  files: ['tasks.ts', 'user.ts'],
};

/** What a user's compiler has to understand. */
const typed = `import { runWorkflow, type TestedCall } from 'arpeggio/testing';
import { load } from './tasks.ts';
export const calls: Promise<readonly TestedCall[]> = runWorkflow({ task: 'load' }, { tasks: { load } }).then((run) => run.callsOf('load'));
`;

describe('the package that npm run package makes', () => {
  beforeAll(async () => {
    await run(process.execPath, ['scripts/package.ts', folder], { cwd: root, env });
    const packed = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
    await run('npm', ['install', '--no-audit', '--no-fund', '--offline', '--prefix', user, join(folder, packed)], {
      env,
    });
    for (const [name, text] of [
      ['package.json', JSON.stringify({ type: 'module', dependencies: { arpeggio: '*' } })],
      ['workflow.json', JSON.stringify(workflow)],
      ['tasks.ts', tasks],
      ['user.ts', typed],
      ['workflow.test.ts', tests],
      ['tsconfig.json', JSON.stringify(tsconfig)],
    ] as const)
      writeFileSync(join(user, name), text);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test('brings nothing with it', () => {
    expect(readdirSync(join(user, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['arpeggio']);
  });

  test('runs a workflow by npx, with tasks in TypeScript that use the API', async () => {
    const ended = await run('npx', ['arpeggio', 'run', 'workflow.json', '--tasks', 'tasks.ts'], { cwd: user, env });
    expect(ended.stdout).toBe('[1, 4, 9]\n');
    expect(ended.stderr).toContain('[load chain[0]] loading');
  });

  test('tests workflows under node:test', async () => {
    const ended = await run(process.execPath, ['--test'], { cwd: user, env });
    expect(ended.stdout).toContain('pass 1');
  });

  test('has types that hold by themselves', async () => {
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', user], { cwd: user, env });
  });

  test('says what it needs when Node is too old', async () => {
    const launcher = join(user, 'node_modules/arpeggio/lib/arpeggio.mjs');
    const pretend = `Object.defineProperty(process, 'versions', { value: { node: '20.19.0' } }); await import(${JSON.stringify(launcher)});`;
    const ended = run(process.execPath, ['--input-type=module', '-e', pretend], { env });
    await expect(ended).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('needs Node 22.18 or newer') as string,
    });
  });
});
