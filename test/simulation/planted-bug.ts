import type { SeedOptions } from './seed-run.ts';

/** A bug that an operator like ours may have, made by standing between its parts and their ports. */
export interface PlantedBug {
  readonly what: string;
  /** It is found within so many seeds. */
  readonly within: number;
  readonly options: SeedOptions;
}
