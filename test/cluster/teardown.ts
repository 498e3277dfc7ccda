import { readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeCgroup } from './cgroups.ts';
import { removeContainerdTraces } from './containerd.ts';
import { restoreMachine } from './machine.ts';
import { mountsBelow, unmountBelow } from './mounts.ts';
import { removeNetwork } from './network.ts';
import { endProcesses, ourProcesses } from './processes.ts';
import { isHolder, slotOf } from './slot.ts';
import { readState } from './state.ts';

/**
 * Ends and removes a full cluster, whatever of it there is: running, half-started, killed, or gone with a reboot.
 * Nothing here needs a living part of it. In this order nobody starts anew what was just ended.
 */
export async function endFullLevel(folder: string): Promise<void> {
  const state = readState(folder);
  await endMarked(folder, (name) => name.startsWith('kubelet'));
  await endMarked(folder, (name) => !name.endsWith('-shim'));
  const slot = state?.slot === undefined ? undefined : slotOf(state.slot);
  if (slot !== undefined && isHolder(slot, folder)) {
    await removeCgroup(slot.cgroup);
    await endMarked(folder, () => true);
    await unmountBelow(folder);
    await unmountBelow(slot.runFolder);
    await removeContainerdTraces(slot);
    await removeNetwork(slot);
    await removeLogLinks(folder);
    await rm(slot.runFolder, { recursive: true, force: true });
    restoreMachine();
  }
  await endMarked(folder, () => true);
  await unmountBelow(folder);
  const left = mountsBelow(folder);
  if (left.length > 0) throw new Error(`still mounted, so ${folder} is not removed: ${left.join(', ')}`);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function endMarked(folder: string, which: (name: string) => boolean): Promise<void> {
  const chosen = ourProcesses(folder).filter(({ name }) => which(name));
  await endProcesses(
    chosen.map(({ pid }) => pid),
    0,
  );
}

/** The kubelet links each container's log into a place for log collectors. */
async function removeLogLinks(folder: string): Promise<void> {
  const place = '/var/log/containers';
  for (const name of await readdir(place).catch(() => [])) {
    const target = await readlink(join(place, name)).catch(() => '');
    if (target.startsWith(`${folder}/`)) await rm(join(place, name), { force: true });
  }
}
