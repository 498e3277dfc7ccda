import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const worker = new URL('../../../worker-image/', import.meta.url);

describe('a signal to stop', () => {
  test.each(['SIGTERM', 'SIGINT'])('%s is kept for whoever asks later', (signal) => {
    const program = `
      const { stopSignal } = await import('${new URL('stop-signal.ts', worker).href}');
      const alive = setInterval(() => undefined, 1_000);
      process.once('${signal}', () => setImmediate(async () => {
        console.log(await stopSignal);
        clearInterval(alive);
      }));
      process.kill(process.pid, '${signal}');`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(said).toBe(`${signal}\n`);
  });

  test('is listened for before anything else of the worker is loaded', () => {
    const [first] = /^import .*$/m.exec(readFileSync(fileURLToPath(new URL('main.ts', worker)), 'utf8')) ?? [];
    expect(first).toBe("import { stopSignal } from './stop-signal.ts';");
  });
});
