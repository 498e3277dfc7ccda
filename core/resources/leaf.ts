import { z } from 'zod';

/** The small values that several resources share; each carries its bound, so that CEL rules over it stay cheap. */

/** A Kubernetes object's name (RFC 1123 label): what may be referred to in the same namespace. */
export const objectName = () =>
  z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);

/** A Kubernetes object's name where dots are allowed too (RFC 1123 subdomain): Secrets, for one. */
export const subdomainName = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);

/** A Celery task's name: printable, without blanks and without what globs are made of. */
export const taskName = () =>
  z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^\s*?[\]]+$/);

/** A duration as Go and Kubernetes write it: `90s`, `1h30m`. */
export const duration = () =>
  z
    .string()
    .min(2)
    .max(32)
    .regex(/^([0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m|h))+$/);

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
