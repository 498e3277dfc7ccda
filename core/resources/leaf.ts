import { z } from 'zod';

/**
 * The small values that several resources share. Each carries its bound, so that CEL rules over it stay cheap, and says
 * in words what it wants.
 */

const text = () => z.string('must be text');

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
    .regex(/^[^\s*?[\]]+$/, 'is no task name: it may not hold blanks or any of * ? [ ]');

/** A duration as Go and Kubernetes write it: `90s`, `1h30m`. */
export const duration = () =>
  text()
    .min(2)
    .max(32)
    .regex(/^([0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m|h))+$/, 'is no duration; write 90s, 10m or 1h30m');

/** A Kubernetes quantity: `500m`, `2Gi`, or a bare integer. */
export const quantity = () =>
  z.union([z.string().max(32), z.number()]).meta({
    'x-kubernetes-int-or-string': true,
    pattern:
      '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$',
  });

/** RFC 3339, as the API server writes it. */
export const timestamp = () => z.string().max(64).meta({ format: 'date-time' });

/** A count that is never negative. */
export const count = () => z.number().int().min(0).max(2_147_483_647);
