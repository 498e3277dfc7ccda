import { readFileSync } from 'node:fs';
import { runCommand, tryCommand } from './command.ts';

/** What is mounted below this folder, deepest last. */
export function mountsBelow(folder: string): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n');
  return mounts.map((line) => unescape(line.split(' ')[4] ?? '')).filter((path) => path.startsWith(`${folder}/`));
}

/** Unmounts everything below this folder, last mounted first. */
export async function unmountBelow(folder: string): Promise<void> {
  for (const path of mountsBelow(folder).reverse()) {
    const { code } = await tryCommand('umount', [path]);
    // Something still looks into it; it goes when that ends.
    if (code !== 0 && mountsBelow(folder).includes(path)) await runCommand('umount', ['--lazy', path]);
  }
}

/** The kernel writes a space in a path as \040. */
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** May this folder's filesystem hold an overlay? One that is itself an overlay may not. */
export async function holdsOverlay(folder: string): Promise<boolean> {
  const parts = ['lower', 'upper', 'work', 'merged'].map((name) => `${folder}/overlay-trial/${name}`);
  const [lower = '', upper = '', work = '', merged = ''] = parts;
  await runCommand('mkdir', ['-p', ...parts]);
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  const { code } = await tryCommand('mount', ['-t', 'overlay', 'overlay', '-o', options, merged]);
  if (code === 0) await runCommand('umount', [merged]);
  await runCommand('rm', ['-rf', `${folder}/overlay-trial`]);
  return code === 0;
}
