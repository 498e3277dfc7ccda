/** One thing that is wrong in a Workflow's spec: where, and what to do, in words for its author. */
export interface SpecProblem {
  /** Such as `spec.chain[2].group[0].args`. */
  readonly path: string;
  /** A sentence without the path; it never repeats an argument's value. */
  readonly message: string;
}

const shownProblems = 3;

/** The problems as one condition message: the first three with their paths, the rest counted, with the command that shows them. */
export function summariseProblems(problems: readonly SpecProblem[]): string {
  const shown = problems.slice(0, shownProblems).map(({ path, message }) => `${path}: ${message}`);
  const hidden = problems.length - shown.length;
  return shown.join('; ') + (hidden > 0 ? `; and ${hidden} more, which arpeggio check FILE shows` : '');
}
