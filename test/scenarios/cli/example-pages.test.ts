import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { arpeggio, root } from './process.ts';

/** What pages of the examples show of `arpeggio run`: the command, and the lines below it. */
function shown(): readonly { readonly page: string; readonly argv: readonly string[]; readonly said: string }[] {
  const pages = readdirSync(`${root}/examples`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `examples/${name}/README.md`);
  return pages.flatMap((page) => {
    const blocks = readFileSync(`${root}/${page}`, 'utf8').matchAll(/^\$ npm run arpeggio -- (.*)\n([\s\S]*?)^```/gm);
    return [...blocks].map(([, command = '', said = '']) => ({ page, argv: command.split(' '), said }));
  });
}

/** Without times, and without the progress and the frames between: which change is drawn first differs from run to run. */
function comparable(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line !== '' && !/^ +\d+\.\d+s /.test(line) && !/^ +at /.test(line));
  return lines.map((line) =>
    line
      .replaceAll(/\d+(\.\d+)?m?s\b/g, '…')
      .replaceAll(/"\d{4}-\d\d-\d\dT[^"]*"/g, '…')
      .replaceAll(/Ms":\d+/g, 'Ms":…'),
  );
}

test.each(shown())('$page shows what is printed today', async ({ argv, said }) => {
  const { out, err } = await arpeggio(...argv);
  expect(comparable(err + out)).toEqual(comparable(said));
});

test('there are such pages', () => expect(shown().length).toBeGreaterThan(3));
