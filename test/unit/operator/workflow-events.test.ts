import { describe, expect, test } from 'vitest';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import type { Workflow } from '#core/resources/workflow.ts';
import type { EventNote } from '#io/kube/event-recorder.ts';
import { WorkflowEvents } from '#operator/controllers/workflow-events.ts';

function told(shown: WorkflowStatus, next: WorkflowStatus, spec: object): readonly string[] {
  const notes: EventNote[] = [];
  const workflow = { metadata: { name: 'train', namespace: 'ml' }, spec, status: shown } as Workflow;
  new WorkflowEvents({ recordEvent: (note) => notes.push(note) }).tellChange(workflow, next);
  return notes.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

const failure = { step: 1, path: 'spec.chain[0]', task: 'load', type: 'ValueError', message: 'secret' };
const condition = {
  type: 'Succeeded',
  status: 'False',
  reason: 'Failed',
  message: 'spec.chain[0]: secret',
  lastTransitionTime: '2027-01-01T00:00:00Z',
  observedGeneration: 1,
} as const;

describe('events of a Workflow', () => {
  test.each<{ why: string; spec?: object; shown?: WorkflowStatus; next: WorkflowStatus; tells: readonly string[] }>([
    {
      why: 'progress is no event',
      shown: { state: 'Running', done: 1 },
      next: { state: 'Running', done: 2 },
      tells: [],
    },
    {
      why: 'a success is none either',
      next: { state: 'Succeeded', conditions: [{ ...condition, status: 'True', reason: 'Succeeded' }] },
      tells: [],
    },
    {
      why: 'suspend',
      shown: { state: 'Running' },
      next: { state: 'Suspended' },
      tells: ['Normal SuspendRequested: nothing more is sent until spec.suspend is false'],
    },
    {
      why: 'resume',
      shown: { state: 'Suspended' },
      next: { state: 'Running', progress: '2/5' },
      tells: ['Normal Resumed: goes on at 2/5'],
    },
    {
      why: 'a cancel of what stays suspended does not resume it',
      spec: { suspend: true, cancel: true },
      shown: { state: 'Suspended' },
      next: { state: 'Finalizing', progress: '0/5' },
      tells: [],
    },
    {
      why: 'a round',
      shown: { retried: 1 },
      next: { retried: 2, round: 3 },
      tells: ['Normal RetryRequested: round 3 runs again what failed or was cancelled'],
    },
    {
      why: 'a loss of data, once for each time',
      shown: { lost: { times: 1, sentAgain: 0, runAgain: 0 } },
      next: { lost: { times: 1, sentAgain: 0, runAgain: 0 } },
      tells: [],
    },
    {
      why: 'a wait for workers that nobody has promised',
      next: { state: 'Running', unservedQueue: 'gpu' },
      tells: [
        'Warning NoWorkerPool: tasks wait in TaskQueue gpu, which no WorkerPool serves: make one whose spec.queues names it, or start a Celery worker for it',
      ],
    },
    {
      why: 'the same wait only once',
      shown: { state: 'Running', unservedQueue: 'gpu' },
      next: { state: 'Running', unservedQueue: 'gpu' },
      tells: [],
    },
    {
      why: 'tasks that vanished with their workers',
      next: { failures: [{ ...failure, type: 'WorkerLost' }] },
      tells: ['Warning TasksLost: tasks were lost with their workers: 1 so far'],
    },
    {
      why: 'tasks of which a Celery worker says that they were lost',
      next: { failures: [failure, { ...failure, type: 'WorkerLostError' }] },
      tells: ['Warning TasksLost: tasks were lost with their workers: 1 so far'],
    },
    {
      why: 'a failed end, without a word of what the task was given or said',
      next: { state: 'Failed', finishedAt: '2027-01-01T00:00:00Z', failures: [failure], conditions: [condition] },
      tells: ['Warning Failed: spec.chain[0]: task load failed with ValueError'],
    },
    {
      why: 'a failed element that is no task',
      next: {
        state: 'Failed',
        failures: [{ step: 1, path: 'spec.chain[1]', type: 'NotAList' }],
        conditions: [condition],
      },
      tells: ['Warning Failed: spec.chain[1] failed with NotAList'],
    },
    {
      why: 'the same failure of a further round',
      next: { state: 'Failed', round: 1, failures: [failure], conditions: [condition] },
      tells: ['Warning Failed: spec.chain[0]: task load failed with ValueError in round 1'],
    },
  ])('$why', ({ spec = {}, shown = {}, next, tells }) => {
    expect(told(shown, next, spec)).toEqual(tells);
  });

  test('tell once of each change that a retry is refused while the run stays cancelled, and what to set', () => {
    const notes: EventNote[] = [];
    const events = new WorkflowEvents({ recordEvent: (note) => notes.push(note) });
    const metadata = { name: 'train', namespace: 'ml' };
    const workflow = { metadata, spec: { cancel: true, retryFailed: 2 } } as unknown as Workflow;
    for (const each of [workflow, workflow, { ...workflow }]) events.tellAskedInVain(each);
    const told = {
      type: 'Warning',
      reason: 'RetryRefused',
      message:
        'spec.cancel is true, so retryFailed: 2 begins no round; set cancel to false and retryFailed to 3 in one change',
    };
    expect(notes).toMatchObject([told, told]);
  });

  test.each([
    ['Running', 'what waits is withdrawn, and what runs is asked to stop'],
    ['Finalizing', 'too late: its outcome stands already, and only its handlers are still to end'],
  ] as const)('a cancel while it is %s', (stage, message) => {
    const notes: EventNote[] = [];
    const workflow = { metadata: { name: 'train', namespace: 'ml' }, spec: { cancel: true } } as unknown as Workflow;
    new WorkflowEvents({ recordEvent: (note) => notes.push(note) }).tellCancel(workflow, { stage });
    expect(notes.map(({ reason, message }) => [reason, message])).toEqual([['CancelRequested', message]]);
  });
});
