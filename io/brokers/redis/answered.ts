import { BrokerUnavailable } from '../broker.ts';

/** Whatever goes wrong with Redis is one error to the caller. */
export async function answered<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const { message } = error as Error;
    const isRefusal = message.startsWith('WRONGTYPE');
    const what = isRefusal ? 'the broker refused' : 'the broker did not answer';
    throw new BrokerUnavailable(`${what}: ${message}`, { cause: error, isRefusal });
  }
}
