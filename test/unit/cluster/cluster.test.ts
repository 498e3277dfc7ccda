import { resolve } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { isOlder } from '../../cluster/binary.ts';
import { loadCommand } from '../../cluster/existing.ts';
import { clusterCommand } from '../../cluster/folders.ts';
import { slotOf } from '../../cluster/slot.ts';

describe('the command that loads an image into an existing cluster', () => {
  const image = { name: 'ghcr.io/arpeggio-dev/worker:0.1.0', archive: "/tmp/it's here.tar" };

  test.each([
    {
      why: 'the archive comes quoted for the shell',
      template: 'kind load image-archive {archive}',
      want: "kind load image-archive '/tmp/it'\\''s here.tar'",
    },
    { why: 'so does the name', template: 'pull {image}', want: "pull 'ghcr.io/arpeggio-dev/worker:0.1.0'" },
    {
      why: 'each place is filled as often as it stands there',
      template: '{image} {image}',
      want: `'${image.name}' '${image.name}'`,
    },
  ])('$why', ({ template, want }) => {
    expect(loadCommand(template, image)).toBe(want);
  });

  test('that names neither is refused, with the words it has and where to read', () => {
    expect(() => loadCommand('kind load', image)).toThrow(
      /"kind load" and names neither \{archive\} nor \{image\}.*docs\/clusters\.md/,
    );
  });
});

describe('the command that ends the cluster', () => {
  afterEach(() => vi.unstubAllEnvs());

  test.each([
    { why: 'is plain for the default folder', own: undefined, want: 'npm run cluster -- down' },
    { why: 'is plain where the variable is empty', own: '', want: 'npm run cluster -- down' },
    {
      why: 'names a folder of its own, quoted for the shell',
      own: "/tmp/it's mine",
      want: "ARPEGGIO_CLUSTER_DIR='/tmp/it'\\''s mine' npm run cluster -- down",
    },
    {
      why: 'names it from the root, wherever it is typed',
      own: 'mine',
      want: `ARPEGGIO_CLUSTER_DIR='${resolve('mine')}' npm run cluster -- down`,
    },
  ])('$why', ({ own, want }) => {
    vi.stubEnv('ARPEGGIO_CLUSTER_DIR', own);
    expect(clusterCommand('down')).toBe(want);
  });
});

describe('the age of a Go', () => {
  test.each([
    { why: 'an older minor is older', a: '1.19.8', b: '1.26.0', want: true },
    { why: 'numbers count, not letters', a: '1.9.9', b: '1.10.0', want: true },
    { why: 'the same is not older', a: '1.26.0', b: '1.26.0', want: false },
    { why: 'a missing patch is the first', a: '1.26', b: '1.26.0', want: false },
    { why: 'a newer patch is not older', a: '1.26.8', b: '1.26.0', want: false },
    { why: 'a pre-release counts as what it leads to', a: '1.27rc1', b: '1.26.0', want: false },
  ])('$why', ({ a, b, want }) => {
    expect(isOlder(a, b)).toBe(want);
  });
});

describe('the places for full clusters on one machine', () => {
  const slots = Array.from({ length: 16 }, (_, number) => slotOf(number));

  test.each([
    { what: 'addresses', of: (slot: (typeof slots)[number]) => slot.range },
    { what: 'network', of: (slot: (typeof slots)[number]) => slot.network },
    { what: 'cgroup', of: (slot: (typeof slots)[number]) => slot.cgroup },
    { what: 'folder of sockets', of: (slot: (typeof slots)[number]) => slot.runFolder },
    { what: 'chain', of: (slot: (typeof slots)[number]) => slot.chain },
  ])('each have their own $what', ({ of }) => {
    expect(new Set(slots.map(of)).size).toBe(16);
  });

  test('have names that fit an interface, which has at most 15 characters', () => {
    expect(slots.every(({ cable }) => cable.length <= 15)).toBe(true);
  });
});
