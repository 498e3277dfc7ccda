import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadableOf } from '../../cluster/load.ts';

const home = mkdtempSync(join(tmpdir(), 'arpeggio-load-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
mkdirSync(join(home, 'tasks'));
mkdirSync(join(home, 'empty'));
writeFileSync(join(home, 'tasks', 'Dockerfile'), 'FROM scratch\n');
writeFileSync(join(home, 'mine.tar'), '');

describe('what is to be loaded into a cluster', () => {
  test.each([
    { why: 'an archive', args: ['mine.tar'], want: { kind: 'Archive', archive: join(home, 'mine.tar') } },
    {
      why: 'a folder with a Dockerfile, under a name',
      args: ['tasks', 'registry.example:5000/mine:1'],
      want: { kind: 'Folder', folder: join(home, 'tasks'), name: 'registry.example:5000/mine:1' },
    },
  ])('$why', ({ args, want }) => {
    expect(loadableOf(args, home)).toEqual(want);
  });

  test.each([
    { why: 'nothing', args: [], says: 'load takes an archive, or a folder and the name of its image' },
    { why: 'too much', args: ['tasks', 'mine:1', 'x'], says: 'load takes an archive, or a folder' },
    { why: 'what is not there', args: ['other.tar'], says: 'docker save NAME:TAG -o other.tar' },
    { why: 'another name for an archive', args: ['mine.tar', 'mine:1'], says: 'leave out mine:1' },
    { why: 'a folder without a Dockerfile', args: ['empty', 'mine:1'], says: 'empty holds no Dockerfile' },
    { why: 'a folder without a name', args: ['tasks'], says: 'such as: load tasks tasks:1' },
    { why: 'no tag', args: ['tasks', 'registry.example:5000/mine'], says: 'such as registry.example:5000/mine:1' },
    { why: 'a tag that nodes always pull', args: ['tasks', 'mine:latest'], says: 'such as mine:1' },
  ])('not $why, with the way out', ({ args, says }) => {
    expect(() => loadableOf(args, home)).toThrow(says);
  });
});
