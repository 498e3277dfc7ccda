import { readdirSync, readFileSync } from 'node:fs';

/**
 * Ends the programs of a pod with SIGKILL, from outside: no signal handler runs, nothing is said goodbye to. Finds them by
 * the pod's name in their environment, so only on the machine that runs the pod. Returns how many there were.
 */
export function killPodProcesses(podName: string): number {
  const pids = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(`ARPEGGIO_POD_NAME=${podName}`));
  return pids.filter((pid) => kill(pid)).length;
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false; // It has ended meanwhile.
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return []; // It has ended meanwhile.
  }
}
