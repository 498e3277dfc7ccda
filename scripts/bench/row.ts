import type { BenchOptions } from './bench-options.ts';
import type { Bench } from './bench.ts';
import type { CeleryPeer } from './celery-peer.ts';

/** One line of the table. */
export type Figure = {
  readonly key: string;
  readonly what: string;
  readonly unit: 'µs' | 'ms' | 's' | '/s' | 'KiB' | 'MB' | '%' | '';
  readonly better: 'Lower' | 'Higher';
  /** What is to be reached, in the figure's unit; absent where nothing was promised. */
  readonly target?: number;
  /** Shown below the table, for what a reader must know to compare. */
  readonly note?: string;
};

/** By the figure's key. */
export type Values = Readonly<Record<string, number>>;

/** Figures that come from one measurement. */
export type Row = {
  /** For `--only`. */
  readonly id: string;
  /** Takes minutes: measured with `--scale`, or when it is named. Default false. */
  readonly isHeavy?: true;
  readonly figures: (options: BenchOptions) => readonly Figure[];
  readonly ours: (bench: Bench) => Promise<Values>;
  /** The same of native Celery; absent where Celery has nothing of the kind. */
  readonly peer?: (peer: CeleryPeer) => Promise<Values>;
};
