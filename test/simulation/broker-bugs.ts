import { BrokerUnavailable } from '#io/brokers/broker.ts';
import type { OutboxEntry, RunPorts, Whereabouts } from '#operator/runs/run-ports.ts';
import type { RunStore } from '#io/runs/run-store.ts';
import type { PlantedBug } from './planted-bug.ts';
import { withoutBroker, type Swarm } from './swarm.ts';

/** Bugs about a broker that is not the Redis of the runs, and takes nothing for minutes. */
export const brokerBugs: Readonly<Record<string, PlantedBug>> = {
  hostage: {
    what: 'while a message cannot be sent nothing of any run is decided',
    within: 200,
    options: { kinds: [], swarm: brokerless, ports: hostage },
  },
  stubborn: {
    what: 'a client keeps what could not be sent, and sends it once its broker is back, whatever has become of the run',
    within: 200,
    options: { kinds: [], swarm: brokerless, ports: stubborn },
  },
};

function brokerless(drawn: Swarm): Swarm {
  return withoutBroker(drawn, { cancels: 0.7, deadlines: 0.5, bounds: 0.3 });
}

function hostage(ports: RunPorts): RunPorts {
  let isBroken = false;
  const publish = async (entries: readonly OutboxEntry[]): Promise<void> => {
    isBroken = true;
    await ports.broker.publish(entries);
    isBroken = false;
  };
  const advance: RunStore['advance'] = (run, request) =>
    isBroken ? Promise.reject(new BrokerUnavailable('a message waits')) : ports.store.advance(run, request);
  return { ...ports, broker: replaced(ports.broker, { publish }), store: replaced(ports.store, { advance }) };
}

const sendsAgainMs = 1_000;

function stubborn(ports: RunPorts): RunPorts {
  const sendLater = (entries: readonly OutboxEntry[]): void => {
    ports.clock.after(sendsAgainMs, () => void ports.broker.publish(entries).catch(() => sendLater(entries)));
  };
  const publish: Whereabouts['publish'] = (entries) =>
    ports.broker.publish(entries).catch((error: unknown) => {
      sendLater(entries);
      throw error;
    });
  return { ...ports, broker: replaced(ports.broker, { publish }) };
}

/** The same with some of its methods replaced. */
function replaced<T extends object>(whole: T, methods: Partial<T>): T {
  return new Proxy(whole, {
    get: (target, name) => (Reflect.get(methods, name) as unknown) ?? (Reflect.get(target, name) as unknown),
  });
}
