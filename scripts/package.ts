import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { durationText, ROOT } from './command.ts';
import { declarationsOf } from './declarations.ts';
import { noticeOf, packageFolderOf, readLicense } from './licenses.ts';

/** Where the package goes; the first argument names another folder. */
const target = resolve(ROOT, process.argv[2] ?? 'dist');
const folder = join(target, 'npm');
const lib = join(folder, 'lib');

/** What is imported from outside, and threads, which are programs of their own. They share their chunks. */
const entries = {
  main: 'cli/main.ts',
  tasks: 'worker-image/tasks/task-api.ts',
  testing: 'cli/testing/testing-api.ts',
  'local-task-thread': 'cli/local/local-task-thread.ts',
};

/** Everything is bundled, so whoever installs the package installs nothing else. */
async function bundle(): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: entries,
    outdir: lib,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    platform: 'node',
    target: 'node22.18',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  const folders = Object.keys(metafile.inputs).map(packageFolderOf);
  return [...new Set(folders)].filter((each) => each !== undefined);
}

function manifest(): object {
  const { name, version, description, license } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as Record<string, string>;
  return {
    ...{ name, version, description, license },
    type: 'module',
    engines: { node: '>=22.18' },
    bin: { arpeggio: 'lib/arpeggio.mjs' },
    exports: {
      '.': { types: './types/worker-image/tasks/task-api.d.ts', default: './lib/tasks.mjs' },
      './testing': { types: './types/cli/testing/testing-api.d.ts', default: './lib/testing.mjs' },
    },
  };
}

function pack(): string {
  const said = execFileSync('npm', ['pack', '--json', '--pack-destination', target], { cwd: folder, encoding: 'utf8' });
  const packed = JSON.parse(said) as readonly { readonly filename: string }[] | Record<string, { filename: string }>;
  return join(target, Object.values(packed)[0]?.filename ?? '');
}

const started = performance.now();
rmSync(folder, { recursive: true, force: true });
mkdirSync(lib, { recursive: true });
const packages = await bundle();
for (const [path, text] of declarationsOf(['worker-image/tasks/task-api.ts', 'cli/testing/testing-api.ts'])) {
  mkdirSync(join(folder, 'types', path, '..'), { recursive: true });
  writeFileSync(join(folder, 'types', path), text);
}
copyFileSync(join(ROOT, 'cli/arpeggio.mjs'), join(lib, 'arpeggio.mjs'));
chmodSync(join(lib, 'arpeggio.mjs'), 0o755);
copyFileSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
copyFileSync(join(ROOT, 'cli/README.md'), join(folder, 'README.md'));
writeFileSync(join(folder, 'licenses.txt'), noticeOf(packages.map((path) => readLicense(join(ROOT, path)))));
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), undefined, 2)}\n`);
const file = pack();
console.log(`${relative(process.cwd(), file)}  (${durationText(performance.now() - started)})`);
