import { z } from 'zod';
import { limits } from '#core/base/limits.ts';
import { conditionsSchema, observedGeneration } from './condition.ts';
import { count, timestamp } from './leaf.ts';

const stateWord = () =>
  z
    .string()
    .max(64)
    .regex(/^[A-Z][A-Za-z]*$/);
const path = () => z.string().max(512);
const taskId = () => z.string().max(255);
const shownTask = () => z.string().max(255);

export const stepStatusSchema = z.strictObject({
  id: count().describe("The step's number: the place of its element in the tree as written, counted from the root."),
  path: path().describe('Where the element stands in spec, such as spec.chain[2].group[0].'),
  task: shownTask().exactOptional().describe("The task's name; absent for an element that is no task."),
  state: stateWord().describe('What became of the step so far.'),
  attempt: count().exactOptional().describe('How often it was started again; 0 for the first time.'),
  taskId: taskId()
    .exactOptional()
    .describe("The Celery task id of the latest attempt; celery's AsyncResult finds its result by it."),
});

export const stepFailureSchema = z.strictObject({
  step: count().describe("The step's number, as in steps."),
  path: path().describe('Where the element stands in spec.'),
  task: shownTask().exactOptional().describe("The task's name."),
  taskId: taskId().exactOptional().describe('The Celery task id of the attempt that failed.'),
  type: z.string().max(255).describe('The type of the error, such as ValueError.'),
  message: z
    .string()
    .max(limits.shownErrorCharacters * 4)
    .exactOptional()
    .describe('The beginning of its message.'),
});

export const handlerStatusSchema = z.strictObject({
  kind: z.enum(['Link', 'LinkError', 'Finally']).describe('What it was called for.'),
  path: path().describe('Where it stands in spec.'),
  task: shownTask().describe("The task's name."),
  state: stateWord().describe('What became of it.'),
  taskId: taskId().exactOptional().describe('Its Celery task id.'),
  message: z.string().max(1024).exactOptional().describe('Why it did not run or did not succeed.'),
});

export const homeSchema = z.strictObject({
  connection: z.string().max(253).describe('Name of the connection Secret whose result store holds the run.'),
  runId: z.string().max(64).describe('The run_id of that Redis when the run began.'),
});

export const workflowStatusSchema = z
  .strictObject({
    observedGeneration: observedGeneration(),
    conditions: conditionsSchema
      .exactOptional()
      .describe('Succeeded is Unknown while the workflow runs, then True or False; its reason is the state.'),
    state: stateWord()
      .exactOptional()
      .describe('The reason of the condition Succeeded, repeated for the STATE column.'),
    progress: z.string().max(64).exactOptional().describe('Finished tasks of all tasks, such as 3/5.'),
    done: count().exactOptional().describe('Tasks that are finished, well or not.'),
    total: count().exactOptional().describe('Tasks in all.'),
    running: count().exactOptional().describe('Tasks that are sent and not finished.'),
    failed: count().exactOptional().describe('Tasks that failed.'),
    step: z.string().max(512).exactOptional().describe('What is running now, by task name.'),
    startedAt: timestamp().exactOptional().describe('When the operator took up the workflow.'),
    finishedAt: timestamp().exactOptional().describe('When it ended.'),
    duration: z.string().max(32).exactOptional().describe('From start to end, such as 1m3s; set at the end.'),
    result: z
      .unknown()
      .meta({ 'x-kubernetes-preserve-unknown-fields': true, nullable: true })
      .exactOptional()
      .describe('The final result when it is small. A larger one is found under resultTaskId.'),
    resultTaskId: taskId()
      .exactOptional()
      .describe("The Celery task id that holds the final result: celery's AsyncResult finds it."),
    home: homeSchema.exactOptional().describe('Where the run is kept while it lives; it never moves.'),
    run: z
      .string()
      .max(12)
      .regex(/^[0-9a-f]{12}$/)
      .exactOptional()
      .describe('The twelve hex digits with which every task id of this run begins.'),
    round: count().exactOptional().describe('The round of the run, a part of its task ids; 0 in this version.'),
    rev: z
      .number()
      .int()
      .min(0)
      .exactOptional()
      .describe("The run's revision when this status was written; every change of the run raises it."),
    steps: z
      .array(stepStatusSchema)
      .max(limits.statusSteps)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['id'] })
      .exactOptional()
      .describe('The steps worth showing: those that run or went wrong first. Not all of them in a large workflow.'),
    failures: z
      .array(stepFailureSchema)
      .max(limits.statusFailures)
      .exactOptional()
      .describe('The failures worth reading, the earliest first. Not all of them when there are many.'),
    handlers: z
      .array(handlerStatusSchema)
      .max(limits.statusSteps)
      .exactOptional()
      .describe('What became of link, linkError and finally.'),
  })
  .describe('What became of the workflow so far.');

export type StepStatus = z.output<typeof stepStatusSchema>;
export type StepFailure = z.output<typeof stepFailureSchema>;
export type HandlerStatus = z.output<typeof handlerStatusSchema>;
export type WorkflowStatus = z.output<typeof workflowStatusSchema>;
