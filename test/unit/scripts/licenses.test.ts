import { describe, expect, test } from 'vitest';
import { isAllowed, noticeOf, packageFolderOf } from '../../../scripts/licenses.ts';

describe('what may be shipped', () => {
  test.each([
    { expression: 'MIT', allowed: true },
    { expression: '(MIT OR GPL-3.0-only)', allowed: true },
    { expression: 'MIT AND GPL-3.0-only', allowed: false },
    { expression: 'GPL-3.0-only', allowed: false },
    { expression: 'none', allowed: false },
    { expression: 'SEE LICENSE IN license.md', allowed: false },
  ])('$expression: $allowed', ({ expression, allowed }) => expect(isAllowed(expression)).toBe(allowed));

  test('a refusal names every package at once', () => {
    const made = (name: string, license: string) => ({ name, version: '1.0.0', license, text: '' });
    expect(() => noticeOf([made('a', 'MIT'), made('b', 'none'), made('c', 'SSPL-1.0')])).toThrow(
      'b@1.0.0 (none), c@1.0.0 (SSPL-1.0)',
    );
  });
});

describe('the package of a bundled file', () => {
  test.each([
    { path: 'node_modules/zod/v4/core.js', folder: 'node_modules/zod' },
    { path: 'node_modules/@ioredis/commands/built/index.js', folder: 'node_modules/@ioredis/commands' },
    { path: 'node_modules/a/node_modules/b/x.js', folder: 'node_modules/a/node_modules/b' },
    { path: 'core/base/task-id.ts', folder: undefined },
  ])('$path → $folder', ({ path, folder }) => expect(packageFolderOf(path)).toBe(folder));
});
