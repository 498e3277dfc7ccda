import { describe, expect, test } from 'vitest';
import { stringifyJson } from '#core/base/json-text.ts';
import { readPlain, readTagged } from '#cli/manifest/scalar.ts';

/** As sigs.k8s.io/yaml 1.6, which kubectl uses, turned each into JSON, and the API server then keeps it. */
const served: readonly (readonly [written: string, json: string])[] = [
  ['yes', 'true'],
  ['No', 'false'],
  ['y', 'true'],
  ['N', 'false'],
  ['on', 'true'],
  ['OFF', 'false'],
  ['true', 'true'],
  ['TRUE', 'true'],
  ['tRue', '"tRue"'],
  ['~', 'null'],
  ['Null', 'null'],
  ['', 'null'],
  ['1', '1'],
  ['01', '1'],
  ['08', '8'],
  ['0o17', '15'],
  ['0o8', '"0o8"'],
  ['0777', '511'],
  ['-012', '-10'],
  ['0x1F', '31'],
  ['0x', '"0x"'],
  ['0b101', '5'],
  ['-0b11', '-3'],
  ['1_000', '1000'],
  ['_1', '"_1"'],
  ['+7', '7'],
  ['1.0', '1'],
  ['1.50', '1.5'],
  ['1e3', '1000'],
  ['1E+3', '1000'],
  ['1e-7', '1e-7'],
  ['1e21', '1e+21'],
  ['.5', '0.5'],
  ['5.', '5'],
  ['-.5', '-0.5'],
  ['+.5', '0.5'],
  ['-0', '0'],
  ['-0.0', '0'],
  ['0.30000000000000004', '0.30000000000000004'],
  ['9007199254740993', '9007199254740993'],
  ['9223372036854775807', '9223372036854775807'],
  ['-9223372036854775808', '-9223372036854775808'],
  ['9223372036854775808', '9223372036854776000'],
  ['123456789012345678901234567890', '1.2345678901234568e+29'],
  ['12:30', '"12:30"'],
  ['2026-01-01', '"2026-01-01"'],
  ['1.2.3', '"1.2.3"'],
  ['--1', '"--1"'],
  ['12e', '"12e"'],
  ['1e400', '"1e400"'],
  ['=', '"="'],
];

describe('a plain scalar is what a cluster makes of it', () => {
  test.each(served)('%s is %s', (written, json) => {
    const read = readPlain(written);
    expect(read.ok && stringifyJson(read.value.value)).toBe(json);
  });

  test.each(['.inf', '-.Inf', '.nan'])('%s is refused, as kubectl refuses it', (written) => {
    expect(readPlain(written)).toMatchObject({ ok: false });
  });
});

describe('what is changed on the way is said', () => {
  test.each(['yes', 'off', '1.0', '1e3', '0777', '1_000', '9223372036854775808', '.5'])('%s', (written) => {
    expect(readPlain(written)).toMatchObject({
      ok: true,
      value: { change: expect.stringContaining(written) as string },
    });
  });

  test.each(['true', 'false', 'null', '1', '-3', '1.5', '9007199254740993', 'text'])('%s stays', (written) => {
    const read = readPlain(written);
    expect(read.ok && read.value.change).toBeUndefined();
  });
});

describe('a tagged scalar', () => {
  test.each([
    ['!!str', '1', '"1"'],
    ['!!int', '3', '3'],
    ['!!bool', 'yes', 'true'],
    ['!!binary', 'aGVsbG8=', '"hello"'],
    ['!mine', '1', '"1"'],
  ])('%s %s is %s', (tag, text, json) => {
    const read = readTagged(tag, text);
    expect(read.ok && stringifyJson(read.value.value)).toBe(json);
  });

  test('of another type than its tag says is refused', () => {
    expect(readTagged('!!null', 'x')).toMatchObject({ ok: false });
  });
});
