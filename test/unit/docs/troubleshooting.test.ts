import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as reasons from '#core/resources/reasons.ts';
import { lostWith } from '#core/workflow/observe-meta.ts';

const page = readFileSync(new URL('../../../docs/troubleshooting.md', import.meta.url), 'utf8');

/** The first cells of the tables below a heading or sentence, up to the next one. */
function reasonsBelow(title: string): string[] {
  const [, part = ''] = page.split(`\n${title}`);
  const table = part.slice(part.indexOf('\n|')).split(/\n\n/)[0] ?? '';
  return [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, word]) => word ?? '');
}

describe('the troubleshooting page', () => {
  test.each([
    { title: '## A Workflow', table: reasons.workflowReasons },
    { title: 'Of a failure in', table: reasons.failureTypes },
    { title: 'Events (', table: reasons.workflowEventReasons },
    { title: '## A TaskQueue', table: reasons.taskQueueReasons },
    { title: 'Condition `Ready`:', table: reasons.workerPoolReadyReasons },
    { title: 'Condition `ScalingLimited`:', table: reasons.scalingLimitedReasons },
    { title: 'Condition `PodsSchedulable`:', table: reasons.podsSchedulableReasons },
    { title: '`status.lastDecision`', table: reasons.scalingDecisionReasons },
  ])('$title: every reason there is, and no other', ({ title, table }) => {
    expect(reasonsBelow(title).toSorted()).toEqual(Object.keys(table).toSorted());
  });

  test.each([...lostWith])('%s, by which a worker says that a task was lost: what it means', (name) => {
    expect(page).toContain(`\`${name}\``);
  });

  test('no family of reasons is left out', () => {
    expect(Object.keys(reasons).toSorted()).toEqual([
      'failureTypes',
      'podsSchedulableReasons',
      'scalingDecisionReasons',
      'scalingLimitedReasons',
      'taskQueueReasons',
      'workerPoolReadyReasons',
      'workflowEventReasons',
      'workflowReasons',
    ]);
  });
});
