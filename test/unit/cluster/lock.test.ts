import { mkdirSync, mkdtempSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { withLock } from '../../cluster/lock.ts';
import { identityOf } from '../../cluster/processes.ts';

const isLinux = process.platform === 'linux';

describe.skipIf(!isLinux)('a lock among processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'arpeggio-lock-'));
  const fresh = (): string => join(mkdtempSync(join(folder, 'one-')), 'lock');

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('lets one work at a time, and goes when the work is done or fails', async () => {
    const path = fresh();
    const seen: string[] = [];
    const work = (name: string) => () =>
      withLock(path, async () => {
        seen.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(`${name} ends`);
        if (name === 'b') throw new Error('b fails');
      });
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((name) => work(name)()));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(seen.filter((_, i) => i % 2 === 0).map((line) => line.split(' ')[0])).toEqual(
      seen.filter((_, i) => i % 2 === 1).map((line) => line.split(' ')[0]),
    );
    expect(existsSync(path)).toBe(false);
  });

  test.each([
    { why: 'a process that is gone', holder: '4194400 1 a-boot' },
    { why: 'an earlier process of the number of a living one', holder: `${process.pid} 1 a-boot` },
  ])('is taken over from $why', async ({ holder }) => {
    const path = fresh();
    mkdirSync(path);
    writeFileSync(join(path, 'holder'), holder);
    expect(await withLock(path, () => Promise.resolve('worked'))).toBe('worked');
  });

  test('knows a living process by the same words each time', () => {
    expect(identityOf(process.pid)).toBe(identityOf(process.pid));
    expect(identityOf(process.pid)).toMatch(new RegExp(`^${process.pid} \\d+ [0-9a-f-]{36}$`));
  });
});
