import { current } from 'arpeggio';
import { fit, parseRows, score, standardise, type Model, type Row } from './regression.ts';

type Dataset = { readonly train: Row[]; readonly test: Row[] };
type Trained = { readonly model: Model; readonly test: Row[]; readonly trainedBy: string };

/** Measurements as text, in as many parts as will be read side by side; every 40th line is damaged, as real ones are. */
export function load_data({ rows, parts }: { rows: number; parts: number }): string[] {
  const random = numbersFrom(42);
  const lines = Array.from({ length: rows }, (_, line) => {
    const [area, age, noise] = [40 + 100 * random(), 80 * random(), 10 * random()];
    const price = 3 * area - 1.5 * age + 50 + noise;
    return line % 40 === 39 ? `n/a,${age.toFixed(1)},?` : `${area.toFixed(1)},${age.toFixed(1)},${price.toFixed(1)}`;
  });
  const size = Math.ceil(rows / parts);
  return Array.from({ length: parts }, (_, part) => lines.slice(part * size, (part + 1) * size).join('\n'));
}

/** Reads one part of what was loaded. */
export function preprocess(loaded: string[], part: number): { rows: Row[]; dropped: number } {
  const text = loaded[part];
  if (text === undefined) throw new RangeError(`there is no part ${part}, only ${loaded.length} parts`);
  return parseRows(text);
}

/** Puts the parts together again, brings all columns to one scale, and keeps every fifth row for the test. */
export function reduce(parts: { rows: Row[]; dropped: number }[]): Dataset {
  const rows = standardise(parts.flatMap((part) => part.rows));
  current().log.info('reduced', { rows: rows.length, dropped: parts.reduce((sum, { dropped }) => sum + dropped, 0) });
  return { train: rows.filter((_, row) => row % 5 !== 0), test: rows.filter((_, row) => row % 5 === 0) };
}

/** Fits a linear model. It is called on the pool with the GPU; a real one would use it. */
export async function train_model({ train, test }: Dataset, { epochs }: { epochs: number }): Promise<Trained> {
  await current().updateState('PROGRESS', { epochs, rows: train.length });
  return { model: fit(train, epochs), test, trainedBy: process.env['ARPEGGIO_POD_NAME'] ?? 'unknown' };
}

/** How well the model does on the rows it has not seen. */
export function evaluate({ model, test, trainedBy }: Trained): {
  r2: number;
  rmse: number;
  rows: number;
  trainedBy: string;
} {
  const { r2, rmse } = score(model, test);
  return { r2: rounded(r2), rmse: rounded(rmse), rows: test.length, trainedBy };
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/** The same numbers between 0 and 1 for the same seed: a run can be compared with another. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
