import { expect, test } from 'vitest';
import { isWrongType } from '#io/redis/wrong-type.ts';

const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value';

test.each([
  { of: 'a command', is: true, message: wrongType },
  { of: 'a script of Redis 7', is: true, message: `${wrongType} script: 6f1c, on @user_script:3.` },
  {
    of: 'a script of Redis 6.2',
    is: true,
    message: `ERR Error running script (call to f_6f1c): @user_script:3: ${wrongType}`,
  },
  {
    of: 'a script of Redis 6.2 that found no memory',
    is: false,
    message:
      "ERR Error running script (call to f_6f1c): @user_script:3: OOM command not allowed when used memory > 'maxmemory'.",
  },
  { of: 'a replica', is: false, message: "READONLY You can't write against a read only replica." },
  { of: 'a command that names a key', is: false, message: "NOPERM No permissions to access the key 'WRONGTYPE '" },
])('an answer of $of refuses for good: $is', ({ message, is }) => {
  expect(isWrongType(new Error(message))).toBe(is);
});
