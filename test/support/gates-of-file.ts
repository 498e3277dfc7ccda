import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** What a task waits for that a test holds in its hands: a file that is there once the gate is open. */
export interface Gate {
  readonly path: string;
  open(): void;
}

/** New gates for the tests of one file, shut. To be called where hooks can be; what it returns, within a test. */
export function gatesOfFile(): () => Gate {
  let folder = '';
  let count = 0;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'arpeggio-gates-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return () => {
    count += 1;
    const path = join(folder, `gate-${count}`);
    return { path, open: () => writeFileSync(path, '') };
  };
}
