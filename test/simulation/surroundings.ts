import type { HintChannel } from './actors/hint-channel.ts';
import type { SimulatedOperator } from './actors/simulated-operator.ts';
import type { Actor } from './kernel/actor.ts';
import type { Chance } from './kernel/chance.ts';
import type { Faults } from './kernel/faults.ts';
import type { Timeline } from './kernel/timeline.ts';
import type { Oracle } from './oracle/oracle.ts';
import type { FakeApiServer } from './servers/fake-api-server.ts';
import type { FakeRedis } from './servers/fake-redis.ts';
import type { Swarm } from './swarm.ts';

/** Where everything of a simulated world lives. */
export const namespace = 'team';

/** What a simulated world is to those who act in it. */
export interface Surroundings {
  /** `only`: the faults that may strike; absent: all. */
  readonly options: { readonly seed: number; readonly only?: ReadonlySet<string> | undefined };
  readonly swarm: Swarm;
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly faults: Faults;
  readonly oracle: Oracle;
  readonly api: FakeApiServer;
  readonly apiServer: { readonly actor: Actor; isUp: boolean; incarnation: number };
  /** The Redis of the runs. */
  readonly home: FakeRedis;
  /** The Redis of the queues; often the same. */
  readonly broker: FakeRedis;
  readonly hints: HintChannel;
  readonly operators: SimulatedOperator[];
  /** Starts one more process of an operator. */
  addOperator(name: string): SimulatedOperator;
}
