#!/usr/bin/env node
import { existsSync } from 'node:fs';

// Plain JavaScript for any Node: says what is needed before anything is loaded that an old Node cannot read.
const needed = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < needed[0] || (major === needed[0] && minor < needed[1]) || major === 23) {
  process.stderr.write(
    `arpeggio: needs Node ${needed.join('.')} or newer (not 23) and runs on ${process.version}; install one and run again\n`,
  );
  process.exit(2);
}
const isPackage = existsSync(new URL('./main.mjs', import.meta.url));
if (!isPackage && import.meta.url.includes('/node_modules/')) {
  process.stderr.write(
    'arpeggio: these are the sources, which Node does not run below node_modules; npm run package makes the package to install\n',
  );
  process.exit(2);
}
await import(isPackage ? './main.mjs' : './main.ts');
