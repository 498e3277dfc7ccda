/**
 * What we state of a Kubernetes object: the shape of the client library's class, as the plain data that travels. Times
 * are left out, for nobody states them.
 */
export type Desired<T> = T extends Date
  ? never
  : T extends readonly (infer Item)[]
    ? readonly Desired<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Desired<T[Key]> }
      : T;
