/**
 * The Redis of the tests and of the chart's bundled one. Debian 12's redis-server is the same version, so an image made
 * of that is true to the name where this one cannot be pulled.
 */
export const REDIS_IMAGE = 'docker.io/library/redis:7.0.15-bookworm';
