import { existsSync, writeFileSync } from 'node:fs';
import { runCommand, tryCommand } from './command.ts';
import { say } from './progress.ts';
import type { Slot } from './slot.ts';

/**
 * Makes the network namespace the cluster lives in, and a cable to it. kube-proxy's and the nodes' rules stand in there
 * and go with it; the machine itself gets one cable, one route and two rules, so that it reaches pods and Services,
 * and pods the world.
 */
export async function makeNetwork(slot: Slot): Promise<void> {
  const { network, cable } = slot;
  await runCommand('ip', ['netns', 'add', network]);
  await runCommand('ip', ['link', 'add', cable, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', network]);
  await runCommand('ip', ['addr', 'add', `${slot.hostAddress}/24`, 'dev', cable]);
  await runCommand('ip', ['link', 'set', cable, 'up']);
  const addresses = [slot.apiAddress, slot.nodeAddress.cpu, slot.nodeAddress.gpu, slot.dnsAddress];
  const inside = [
    'link set lo up',
    'link set uplink up',
    ...addresses.map((address) => `addr add ${address}/24 dev uplink`),
    `route add default via ${slot.hostAddress}`,
  ];
  await runCommand('ip', ['-netns', network, '-batch', '-'], { input: `${inside.join('\n')}\n` });
  await inNetwork(slot, ['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
  await runCommand('ip', ['route', 'add', slot.range, 'via', slot.apiAddress, 'dev', cable]);
  await openToTheWorld(slot);
}

/** Runs a program inside the cluster's network namespace. */
function inNetwork(slot: Slot, command: readonly string[]): Promise<string> {
  return runCommand('nsenter', [`--net=/run/netns/${slot.network}`, '--', ...command]);
}

/** Without this the cluster works and its pods reach each other and this machine, not the world beyond. */
async function openToTheWorld({ chain, range }: Slot): Promise<void> {
  try {
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
    await runCommand('iptables', ['-w', '-t', 'nat', '-N', chain]);
    await runCommand('iptables', ['-w', '-t', 'nat', '-A', chain, '-s', range, '!', '-d', range, '-j', 'MASQUERADE']);
    await runCommand('iptables', ['-w', '-t', 'nat', '-I', 'POSTROUTING', '-j', chain]);
    await runCommand('iptables', ['-w', '-N', chain]);
    await runCommand('iptables', ['-w', '-A', chain, '-s', range, '-j', 'ACCEPT']);
    await runCommand('iptables', ['-w', '-A', chain, '-d', range, '-j', 'ACCEPT']);
    await runCommand('iptables', ['-w', '-I', 'FORWARD', '-j', chain]);
  } catch (error) {
    say(`pods will not reach the world beyond this machine: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Takes away all that `makeNetwork` made, whatever of it there is. */
export async function removeNetwork({ network, cable, chain }: Slot): Promise<void> {
  if (existsSync(`/run/netns/${network}`)) await runCommand('ip', ['netns', 'del', network]);
  // The cable goes with the namespace a moment later; without one it may stand alone.
  await tryCommand('ip', ['link', 'del', cable]);
  for (const [table, parent] of [['nat', 'POSTROUTING'] as const, ['filter', 'FORWARD'] as const]) {
    await tryCommand('iptables', ['-w', '-t', table, '-D', parent, '-j', chain]);
    await tryCommand('iptables', ['-w', '-t', table, '-F', chain]);
    await tryCommand('iptables', ['-w', '-t', table, '-X', chain]);
  }
}
