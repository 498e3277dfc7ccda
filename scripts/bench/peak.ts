const EVERY_MS = 100;

/** The largest of what was sampled while something ran, and what came of it. */
export async function peakWhile<T>(
  sample: () => number | Promise<number>,
  run: () => Promise<T>,
): Promise<{ readonly peak: number; readonly value: T }> {
  let peak = await sample();
  let isSampling = false;
  const timer = setInterval(() => {
    if (isSampling) return;
    isSampling = true;
    void Promise.resolve(sample())
      .then((value) => (peak = Math.max(peak, value)))
      .finally(() => (isSampling = false));
  }, EVERY_MS);
  try {
    const value = await run();
    return { peak: Math.max(peak, await sample()), value };
  } finally {
    clearInterval(timer);
  }
}
