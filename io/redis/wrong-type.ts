/**
 * Whether Redis refuses for good, since a key holds a value of another type than the command is for. Until Redis 6.2 the
 * answer of a script puts its own words before that.
 */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && /^(ERR Error running script .*: )?WRONGTYPE /.test(error.message);
}
