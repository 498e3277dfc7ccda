/** Globs as Celery's routes know them: `*` stands for any characters, also none, and `?` for exactly one. */
export function isGlob(pattern: string): boolean {
  return pattern.includes('*') || pattern.includes('?');
}

/** How much of a glob is plain text at its beginning: the longer, the closer it means what it says. */
export function literalPrefixLength(pattern: string): number {
  const at = pattern.search(/[*?]/);
  return at === -1 ? pattern.length : at;
}

/** Whether the whole text fits. Takes time in proportion to both lengths at worst, whatever the pattern. */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let starAt = 0;
  for (let i = 0; i < text.length;) {
    if (pattern[at] === '*') {
      star = at;
      starAt = i;
      at += 1;
    } else if (pattern[at] === '?' || pattern[at] === text[i]) {
      at += 1;
      i += 1;
    } else if (star !== -1) {
      // The last star takes one character more.
      starAt += 1;
      i = starAt;
      at = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

/** Whether some text fits both globs. */
export function globsOverlap(one: string, other: string): boolean {
  // reachable[j]: the first i characters of `one` and the first j of `other` can stand for the same text.
  let reachable = Array.from({ length: other.length + 1 }, (_, j) => j === 0 || isAllStars(other.slice(0, j)));
  for (let i = 1; i <= one.length; i += 1) {
    const above = reachable;
    const first = isAllStars(one.slice(0, i));
    reachable = [first];
    for (let j = 1; j <= other.length; j += 1) {
      const before = { left: reachable[j - 1] === true, up: above[j] === true, both: above[j - 1] === true };
      reachable.push(isReachable(one[i - 1], other[j - 1], before));
    }
  }
  return reachable[other.length] === true;
}

function isReachable(
  a: string | undefined,
  b: string | undefined,
  before: Record<'left' | 'up' | 'both', boolean>,
): boolean {
  if (a === '*' || b === '*') return before.left || before.up;
  return before.both && (a === b || a === '?' || b === '?');
}

function isAllStars(pattern: string): boolean {
  return /^\**$/.test(pattern);
}
