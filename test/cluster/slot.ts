import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { writeState } from './state.ts';

/** How many full clusters one machine has place for. */
const SLOTS = 16;
const FIRST_NETWORK = 231;

export type NodeName = 'cpu' | 'gpu';

/** Everything of the machine that a full cluster uses, by names and addresses that only it has. */
export type Slot = {
  readonly number: number;
  /** The network namespace that holds the control plane, both nodes and every iptables rule of the cluster. */
  readonly network: string;
  /** The machine's end of the cable into that namespace. */
  readonly cable: string;
  /** The cgroup below which all containers run. */
  readonly cgroup: string;
  /** Sockets and state that a reboot may forget; short, for a socket's path has 107 characters at most. */
  readonly runFolder: string;
  /** All addresses of the cluster. */
  readonly range: string;
  readonly hostAddress: string;
  readonly apiAddress: string;
  readonly dnsAddress: string;
  readonly nodeAddress: Readonly<Record<NodeName, string>>;
  readonly podRange: Readonly<Record<NodeName, string>>;
  /** Both nodes' pods and the link. */
  readonly podsRange: string;
  readonly serviceRange: string;
  readonly firstService: string;
  /** The chains our few rules of the machine itself stand in. */
  readonly chain: string;
};

export function slotOf(number: number): Slot {
  const net = `10.${FIRST_NETWORK + number}`;
  return {
    number,
    network: `arpeggio${number}`,
    cable: `arpeggio${number}`,
    cgroup: `arpeggio${number}`,
    runFolder: `/run/arpeggio${number}`,
    range: `${net}.0.0/16`,
    hostAddress: `${net}.0.1`,
    apiAddress: `${net}.0.2`,
    dnsAddress: `${net}.0.53`,
    nodeAddress: { cpu: `${net}.0.11`, gpu: `${net}.0.12` },
    podRange: { cpu: `${net}.1.0/24`, gpu: `${net}.2.0/24` },
    podsRange: `${net}.0.0/22`,
    serviceRange: `${net}.128.0/17`,
    firstService: `${net}.128.1`,
    chain: `ARPEGGIO${number}`,
  };
}

/**
 * Takes the first place that no cluster holds and whose addresses nobody routes, for the cluster in this folder. Two who
 * ask at once get two places.
 */
export async function claimSlot(folder: string): Promise<Slot> {
  const routes = await runCommand('ip', ['-4', 'route', 'show', 'table', 'all']);
  for (let number = 0; number < SLOTS; number++) {
    const slot = slotOf(number);
    const isFree = !existsSync(`/run/netns/${slot.network}`) && !routes.includes(`10.${FIRST_NETWORK + number}.`);
    if (isFree && take(slot, folder)) return slot;
  }
  throw new Error(
    `all ${SLOTS} places for a cluster on this machine are taken (see 'ip netns'); take one down with 'npm run cluster -- down'`,
  );
}

/** Does the cluster in this folder hold this place? After a reboot another may, for places are counted anew. */
export function isHolder(slot: Slot, folder: string): boolean {
  try {
    return readFileSync(join(slot.runFolder, OWNER), 'utf8') === folder;
  } catch {
    return false;
  }
}

const OWNER = 'cluster';

function take(slot: Slot, folder: string): boolean {
  try {
    mkdirSync(slot.runFolder, { mode: 0o755 });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  // State first: what holds a place and does not know it would never give it back.
  writeState(folder, { level: 'full', slot: slot.number });
  writeFileSync(join(slot.runFolder, OWNER), folder);
  return true;
}
