import { z } from 'zod';
import { parseDurationMs } from '#core/base/duration.ts';
import { isoOf, msOf } from '#core/base/iso-date.ts';

/**
 * The small values that several resources share. Each carries its bound, so that CEL rules over it stay cheap, and says
 * in words what it wants.
 */

const text = (wanted = 'must be text') => z.string(wanted);

const elementNameShape = /^[A-Za-z_][A-Za-z0-9_]*$/;
const taskNameShape = /^[^\s*?[\]]+$/;
const spanShape = '(\\d{1,9}(\\.\\d{1,9})?(ms|s|m|h))+';
const instantShape = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)';
const noSpan = 'is no duration; write 90s, 10m or 1h30m';
const noInstant = 'is no moment; write 2027-01-31T08:00:00Z or with an offset, 2027-01-31T09:00:00+01:00';
const noSpanOrInstant = 'is neither a duration nor a moment; write 90s, 1h30m or 2027-01-31T08:00:00Z';
const noElementName = 'is no name: letters, digits and _ only, and no digit at the front';
const noTaskName = 'is no task name: it may not hold blanks or any of * ? [ ]';

/**
 * What is said of text that does not have one of these shapes. Names of objects are not among them: in long lists they would
 * cost the API server more than it allows.
 */
export const shapesInWords: ReadonlyMap<string, string> = new Map([
  [`^${spanShape}$`, noSpan],
  [`^${instantShape}$`, noInstant],
  [`^(${spanShape}|${instantShape})$`, noSpanOrInstant],
  [elementNameShape.source, noElementName],
  [taskNameShape.source, noTaskName],
]);

/** A Kubernetes object's name (RFC 1123 subdomain): what may be referred to in the same namespace. */
export const objectName = () =>
  text()
    .min(1, 'is empty; give the name of an object in this namespace')
    .max(253, 'is longer than 253 characters, which no object name is')
    .regex(
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
      'is no object name: small letters, digits, - and . only, with a letter or digit at both ends',
    );

/** A Celery task's name: printable, without blanks and without what globs are made of. */
export const taskName = () =>
  text()
    .min(1, 'is empty; give the name of a task')
    .max(255, 'is longer than 255 characters')
    .regex(taskNameShape, noTaskName);

/** A duration as Go and Kubernetes write it: `90s`, `1h30m`. */
export const duration = () =>
  text(noSpan)
    .min(2, noSpan)
    .max(32, noSpan)
    .regex(new RegExp(`^${spanShape}$`), noSpan);

/** The longest span that may be written; a run's own time, in ticks of 32 bits, is longer (`core/workflow/slots.ts`). */
const longestSpanMs = 365 * 24 * 3_600_000;

const tooLong = 'is longer than a year (8760h)';
const isShort = (text: string): boolean => (parseDurationMs(text) ?? 0) <= longestSpanMs;
const lasts = (text: string): boolean => (parseDurationMs(text) ?? 1) > 0;

/** A duration of at most a year; zero is taken. */
export const span = () => duration().refine(isShort, tooLong);

/** A duration of at most a year that is more than nothing: what bounds something. */
export const positiveSpan = () => span().refine(lasts, 'must be longer than nothing');

const noSuchMoment = 'is no moment that there is: look at its month, day, hour and minute';

/** The shape alone lets the 31st of April and half past 25 through. A duration is not judged here. */
function isReal(text: string): boolean {
  const midnight = msOf(`${text.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(midnight)) return true;
  const time = /T([01]\d|2[0-3])(:[0-5]\d){2}/.test(text) && /(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/.test(text);
  return time && isoOf(midnight).startsWith(text.slice(0, 10));
}

/** A moment as RFC 3339 writes it, with its offset: `2027-01-31T08:00:00Z`. Read with `msOf` of core/base/iso-date. */
export const instant = () =>
  text(noInstant)
    .max(64, noInstant)
    .regex(new RegExp(`^${instantShape}$`), noInstant)
    .refine(isReal, noSuchMoment);

/** A duration or a moment. */
export const spanOrInstant = () =>
  text(noSpanOrInstant)
    .min(2, noSpanOrInstant)
    .max(64, noSpanOrInstant)
    .regex(new RegExp(`^(${spanShape}|${instantShape})$`), noSpanOrInstant)
    .refine(isShort, tooLong)
    .refine(lasts, 'must be longer than nothing')
    .refine(isReal, noSuchMoment);

/** What an element may be called: a name that expressions can speak of. */
export const elementName = () =>
  text()
    .min(1, 'is empty; give a name or leave it out')
    .max(63, 'is longer than 63 characters')
    .regex(elementNameShape, noElementName);

const quantityShape =
  '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$';
const isQuantity = (value: string | number): boolean => new RegExp(quantityShape).test(String(value));

/** A Kubernetes quantity: `500m`, `2Gi`, or a bare integer. */
export const quantity = () =>
  z
    .union([z.string().max(32), z.number()])
    .refine(isQuantity, 'is no quantity; write 500m, 2 or 4Gi')
    .meta({ 'x-kubernetes-int-or-string': true, pattern: quantityShape });

/** RFC 3339, as the API server writes it. */
export const timestamp = () => z.string().max(64).meta({ format: 'date-time' });

/** A count that is never negative. */
export const count = () => z.number().int().min(0).max(2_147_483_647);
