import { z } from 'zod';
import { timestamp } from './leaf.ts';

/** A condition by the Kubernetes API conventions; its reasons stand in `reasons.ts`. */
const conditionSchema = z.strictObject({
  type: z
    .string()
    .max(316)
    .describe('The statement this condition makes about the object, such as Ready or Succeeded.'),
  status: z
    .enum(['True', 'False', 'Unknown'])
    .describe('Whether the statement holds; Unknown while it is not decided yet.'),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('One CamelCase word for why; stable, so that scripts may compare it.'),
  message: z
    .string()
    .max(32_768)
    .describe('The same for a person: what is the case, and the way out when something is wrong.'),
  lastTransitionTime: timestamp().describe('When status last changed.'),
  observedGeneration: z
    .number()
    .int()
    .min(0)
    .exactOptional()
    .describe('The metadata.generation this was judged on; older than the current one means that it is out of date.'),
});

export type Condition = Readonly<z.output<typeof conditionSchema>>;

/** The list every status carries: one entry for each type, so that two writers never meet in one entry. */
export const conditionsSchema = z
  .array(conditionSchema)
  .max(16)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });

/** The generation of the spec that status speaks about. */
export const observedGeneration = () =>
  z
    .number()
    .int()
    .min(0)
    .exactOptional()
    .describe(
      'The metadata.generation the operator last looked at; older than the current one means that status is out of date.',
    );
