export type OutputStream = 'stdout' | 'stderr';

/**
 * Takes what is written to stdout and stderr from here on, line by line, so that a task's `console.log` can be told from
 * the program's own output. Returns how to stop.
 */
export function captureOutput(hear: (stream: OutputStream, line: string) => void): () => void {
  const restore = (['stdout', 'stderr'] as const).map((stream) => {
    const target = process[stream];
    const write = target.write.bind(target);
    const lines = new LineBuffer((line) => hear(stream, line));
    target.write = (chunk: Uint8Array | string, encoding?: unknown, done?: unknown): boolean => {
      lines.add(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
      const call = typeof encoding === 'function' ? encoding : done;
      if (typeof call === 'function') queueMicrotask(call as () => void);
      return true;
    };
    return () => {
      lines.flush();
      target.write = write;
    };
  });
  return () => {
    for (const each of restore) each();
  };
}

/** Cuts text into whole lines. */
class LineBuffer {
  readonly #hear: (line: string) => void;
  #rest = '';

  constructor(hear: (line: string) => void) {
    this.#hear = hear;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#hear(line);
  }

  flush(): void {
    if (this.#rest !== '') this.#hear(this.#rest);
    this.#rest = '';
  }
}
