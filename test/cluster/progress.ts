const QUIET_FOR_MS = 2_000;
const REPEAT_EVERY_MS = 10_000;

/** One line for the person who waits, on standard error. */
export function say(line: string): void {
  process.stderr.write(`arpeggio: ${line}\n`);
}

/** Runs `work`; what takes over two seconds is announced, then repeated with its age, then closed with its duration. */
export async function withProgress<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAtMs = Date.now();
  const seconds = (): string => `${Math.round((Date.now() - startedAtMs) / 1000)} s`;
  let announced = false;
  const announce = (): void => {
    say(announced ? `${what} … (${seconds()})` : `${what} …`);
    announced = true;
    timer = setTimeout(announce, REPEAT_EVERY_MS);
  };
  let timer = setTimeout(announce, QUIET_FOR_MS);
  try {
    const result = await work();
    if (announced) say(`${what}: done in ${seconds()}`);
    return result;
  } finally {
    clearTimeout(timer);
  }
}
