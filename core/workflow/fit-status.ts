import { stringifyJson } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { isLongerThan } from '#core/base/utf8-length.ts';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';

/** Lists of a status in the order in which they are cut; what went wrong is kept longest. */
const lists = ['steps', 'handlers', 'notStopped', 'failures'] as const;

/** The status within `limits.statusBytes`: lists lose their later halves until it fits. The checkpoint and the counts stay. */
export function fitStatus(status: WorkflowStatus): WorkflowStatus {
  let fitting = status;
  for (const list of lists) {
    for (let length = fitting[list]?.length ?? 0; length > 0 && !fits(fitting);) {
      length = Math.floor(length / 2);
      fitting = { ...fitting, [list]: fitting[list]?.slice(0, length) };
    }
  }
  return fitting;
}

function fits(status: WorkflowStatus): boolean {
  return !isLongerThan(stringifyJson(status), limits.statusBytes);
}
