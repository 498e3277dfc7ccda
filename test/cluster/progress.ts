const QUIET_FOR_MS = 2_000;
const REPEAT_EVERY_MS = 10_000;

/** One line for the person who waits, on standard error. */
export function say(line: string): void {
  process.stderr.write(`arpeggio: ${line}\n`);
}

/** Runs `work`; what takes over two seconds is announced, then repeated with its age, then closed with its duration. */
export async function withProgress<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAtMs = Date.now();
  const age = (): number => Date.now() - startedAtMs;
  const seconds = (): string => `${Math.round(age() / 1000)} s`;
  const first = setTimeout(() => say(`${what} …`), QUIET_FOR_MS);
  const repeated = setInterval(() => say(`${what} … (${seconds()})`), REPEAT_EVERY_MS);
  try {
    const result = await work();
    if (age() >= QUIET_FOR_MS) say(`${what}: done in ${seconds()}`);
    return result;
  } finally {
    clearTimeout(first);
    clearInterval(repeated);
  }
}
