type Batch = { readonly batch: string; readonly rows: number; readonly errors: number };

class DirectoryUnavailable extends Error {
  override readonly name = 'DirectoryUnavailable';
}

export function inspect_batch(batch: string): Batch {
  return { batch, rows: 4_000, errors: 3 };
}

export function repair_batch({ batch, rows, errors }: Batch): Batch & { repaired: number } {
  return { batch, rows, errors: 0, repaired: errors };
}

/** Not called here: the batch is small. */
export function split_batch({ rows }: Batch): number[] {
  return [Math.ceil(rows / 2), Math.floor(rows / 2)];
}

/** A service that one can live without, and that is never there in this example. */
export function look_up_owner(): never {
  throw new DirectoryUnavailable('the directory does not answer');
}

export function tell_administrator({ batch }: Batch): string {
  return `the owner of ${batch} is not known`;
}

export function publish_batch({ inspected, owner }: { inspected: Batch; owner: string | null }): object {
  return { published: inspected.batch, errors: inspected.errors, owner: owner ?? 'nobody' };
}
