import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command line as a process of its own. */
export class CliProcess {
  readonly ended: Promise<Ended>;
  readonly #child;
  readonly #waiting = new Set<() => void>();
  #out = '';
  #err = '';

  constructor(argv: readonly string[], { stdin, cwd = root }: { readonly stdin?: string; readonly cwd?: string } = {}) {
    const child = spawn(process.execPath, [`${root}/cli/arpeggio.mjs`, ...argv], { cwd });
    this.#child = child;
    child.stdin.end(stdin ?? '');
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#err += text;
      for (const look of this.#waiting) look();
    });
    this.ended = new Promise((resolve) => {
      child.on('close', (code) => resolve({ code, out: this.#out, err: this.#err }));
    });
  }

  /** Resolves when stderr holds this; rejects when the process ends before. */
  async says(text: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const look = (): void => {
      if (this.#err.includes(text)) resolve(undefined);
    };
    this.#waiting.add(look);
    void this.ended.then(({ err }) => reject(new Error(`it ended without saying ${text}:\n${err}`)));
    look();
    await promise;
    this.#waiting.delete(look);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }
}

export function arpeggio(...argv: readonly string[]): Promise<Ended> {
  return new CliProcess(argv).ended;
}
