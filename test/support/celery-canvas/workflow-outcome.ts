import type { CeleryWorkflows, EndedWorkflow } from '../celery-workflows.ts';
import { addressed, tasksOf, type Canvas, type Json } from './canvas.ts';
import { callsOf } from './native.ts';
import type { CanvasOutcome, CanvasState } from './reference.ts';

/** What Arpeggio made of a canvas, run as a Workflow. */
export async function workflowOutcome(workflows: CeleryWorkflows, run: string, canvas: Canvas): Promise<CanvasOutcome> {
  const ended = await workflows.run(addressed(canvas, run));
  const isWhole = ended.state === 'Succeeded';
  return {
    state: isWhole ? 'Succeeded' : 'Failed',
    value: isWhole ? (JSON.parse(ended.result) as Json) : null,
    calls: (await callsOf(workflows.redis, run)).map(({ id: _id, ...call }) => call),
    states: statesOf(ended, canvas),
  };
}

function statesOf({ plan, states }: EndedWorkflow, canvas: Canvas): Map<string, CanvasState> {
  const found = new Map(tasksOf(canvas).map(({ kwargs }): [string, CanvasState] => [kwargs.at, 'Pending']));
  for (const step of plan.steps) {
    if (step.kind !== 'Task') continue;
    const { at } = JSON.parse(step.kwargs as string) as { at: string };
    found.set(at.split('/')[1] ?? '', states[step.index] as CanvasState);
  }
  return found;
}
