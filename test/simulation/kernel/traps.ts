import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';

/** What must not be touched while a world runs: real time, real chance. */
const forbidden: readonly (readonly [object: object, name: string])[] = [
  [globalThis, 'setTimeout'],
  [globalThis, 'setInterval'],
  [globalThis, 'setImmediate'],
  [timers, 'setTimeout'],
  [timers, 'setInterval'],
  [timers, 'setImmediate'],
  [timersPromises, 'setTimeout'],
  [timersPromises, 'setImmediate'],
  [Math, 'random'],
  [performance, 'now'],
  [Date, 'now'],
  [crypto, 'randomUUID'],
  [crypto, 'randomBytes'],
  [globalThis.crypto, 'randomUUID'],
  [process, 'hrtime'],
];

const RealDate = Date;

/** A date of a given moment is arithmetic; the date of now is a look at the clock. */
class TrappedDate extends RealDate {
  constructor(...given: ConstructorParameters<typeof RealDate> | []) {
    if (given.length === 0) throw new Error('new Date() was called inside a simulated world');
    super(...given);
  }
}

/**
 * Makes every look at real time or chance throw until the returned function is called. Only for a thread that does
 * nothing else.
 */
export function setTraps(): () => void {
  const before = forbidden.map(([object, name]) => Object.getOwnPropertyDescriptor(object, name));
  for (const [object, name] of forbidden) {
    const value = (): never => {
      throw new Error(`${name} was called inside a simulated world`);
    };
    Object.defineProperty(object, name, { value, configurable: true, writable: true });
  }
  globalThis.Date = TrappedDate as DateConstructor;
  syncBuiltinESMExports();
  return () => {
    forbidden.forEach(([object, name], index) => {
      const descriptor = before[index];
      if (descriptor === undefined) Reflect.deleteProperty(object, name);
      else Object.defineProperty(object, name, descriptor);
    });
    globalThis.Date = RealDate;
    syncBuiltinESMExports();
  };
}
