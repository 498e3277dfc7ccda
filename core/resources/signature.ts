import { z } from 'zod';
import { taskName } from './leaf.ts';
import { taskFields } from './task-fields.ts';

/** A task on its own, as handlers and `finally` take it: a call described but not made, as Celery's signature. */
export const signatureSchema = z.strictObject({
  task: taskName().describe("The task's name, exactly as the workers registered it."),
  ...taskFields,
});

export type Signature = z.output<typeof signatureSchema>;
