/** One measurement: what was seen, and what is to be predicted from it. */
export type Row = { readonly features: readonly number[]; readonly target: number };

export type Model = { readonly weights: readonly number[]; readonly bias: number };

/** Reads lines of comma-separated numbers, the last being the target. Lines that are not all numbers are counted, not kept. */
export function parseRows(text: string): { rows: Row[]; dropped: number } {
  const lines = text.split('\n').filter((line) => line !== '');
  const numbers = lines.map((line) => line.split(',').map((field) => (field.trim() === '' ? NaN : Number(field))));
  const rows = numbers
    .filter((fields) => fields.length > 1 && fields.every(Number.isFinite))
    .map((fields) => ({ features: fields.slice(0, -1), target: fields.at(-1) ?? NaN }));
  return { rows, dropped: lines.length - rows.length };
}

/** Every feature brought to mean 0 and deviation 1, so that one learning rate suits all. */
export function standardise(rows: readonly Row[]): Row[] {
  const columns = rows[0]?.features.map((_, column) => rows.map(({ features }) => features[column] ?? 0)) ?? [];
  const scales = columns.map((values) => {
    const mean = meanOf(values);
    return { mean, deviation: Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2))) || 1 };
  });
  return rows.map(({ features, target }) => ({
    features: scales.map(({ mean, deviation }, column) => ((features[column] ?? 0) - mean) / deviation),
    target,
  }));
}

export function predict({ weights, bias }: Model, features: readonly number[]): number {
  return weights.reduce((sum, weight, column) => sum + weight * (features[column] ?? 0), bias);
}

/** Linear regression by gradient descent over all rows at once. */
export function fit(rows: readonly Row[], epochs: number, rate = 0.05): Model {
  let weights = (rows[0]?.features ?? []).map(() => 0);
  let bias = 0;
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const model = { weights, bias };
    const errors = rows.map(({ features, target }) => predict(model, features) - target);
    const gradients = weights.map((_, column) =>
      meanOf(rows.map(({ features }, row) => (errors[row] ?? 0) * (features[column] ?? 0))),
    );
    weights = weights.map((weight, column) => weight - rate * (gradients[column] ?? 0));
    bias -= rate * meanOf(errors);
  }
  return { weights, bias };
}

/** How much of the targets' variance the model explains (1 is all of it), and its usual error in units of the target. */
export function score(model: Model, rows: readonly Row[]): { r2: number; rmse: number } {
  const mean = meanOf(rows.map(({ target }) => target));
  const unexplained = meanOf(rows.map(({ features, target }) => (target - predict(model, features)) ** 2));
  const variance = meanOf(rows.map(({ target }) => (target - mean) ** 2));
  return { r2: 1 - unexplained / variance, rmse: Math.sqrt(unexplained) };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
