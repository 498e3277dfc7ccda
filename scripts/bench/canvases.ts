/** `count` signatures of a task, which take nothing from what comes before. */
export function members(count: number, task = 'noop'): object[] {
  return Array.from({ length: count }, () => ({ task, immutable: true }));
}

export function chainOf(length: number): object {
  return { chain: members(length) };
}

export function groupOf(size: number): object {
  return { group: members(size) };
}

/** What is the same of every member is said once. */
export function mapOf(size: number): object {
  return { map: { task: 'noop', range: size } };
}

/** A chord whose header is said once. */
export function mapThenReduce(size: number): object {
  return { chain: [mapOf(size), { task: 'count' }] };
}

export function chordOf(size: number): object {
  return { chord: { header: members(size), body: { task: 'count' } } };
}
