/** Where programs tell what they do; pino's shape. Fields never hold arguments or results of tasks. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
