import { isWrongType } from '../../redis/wrong-type.ts';
import { BrokerUnavailable } from '../broker.ts';

/** Whatever goes wrong with Redis is one error to the caller. */
export async function answered<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const isRefusal = isWrongType(error);
    const what = isRefusal ? 'the broker refused' : 'the broker did not answer';
    throw new BrokerUnavailable(`${what}: ${(error as Error).message}`, { cause: error, isRefusal });
  }
}
