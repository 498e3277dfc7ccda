import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Which list of Redis the effects of a run go to, and what this one is called. */
type Mark = { readonly run: string; readonly step: string; readonly holdMs?: number };

const LONG_MS = 600_000;

/** Leaves its mark, once for each time it is called, and returns its own name. */
export async function mark(...args: unknown[]): Promise<string> {
  const { run, step, holdMs = 0 } = markOf(args);
  await sleep(holdMs);
  await push(run, step);
  return step;
}

/** As `mark`, but the first call never comes to its end by itself: somebody must kill its worker. */
export async function mark_after_death(...args: unknown[]): Promise<string> {
  const { run, step } = markOf(args);
  const began = await push(`${run}:began`, step);
  if (began === 1) await sleep(LONG_MS);
  await push(run, step);
  return step;
}

/** As `mark`, but not before somebody has opened the run. */
export async function mark_when_open(...args: unknown[]): Promise<string> {
  const { run, step } = markOf(args);
  await push(`${run}:began`, step);
  while ((await ask(['LLEN', `effects:${run}:open`])) === 0) await sleep(100);
  await push(run, step);
  return step;
}

/** The results of a group, in the order in which they were handed on. */
export async function join_marks(steps: string[], ...args: unknown[]): Promise<string> {
  const { run, step } = markOf(args);
  await push(run, step);
  return steps.join(' ');
}

/** Named arguments come as the last one; before them whatever the step before returned. */
function markOf(args: readonly unknown[]): Mark {
  return args.at(-1) as Mark;
}

/** Appends to a list beside everything that Arpeggio and Celery keep there; returns how long it is now. */
function push(list: string, entry: string): Promise<number> {
  return ask(['RPUSH', `effects:${list}`, entry]);
}

/** One command that is answered with a number. */
function ask(command: readonly string[]): Promise<number> {
  const folder = process.env['ARPEGGIO_CONNECTION_DIR'] ?? '/etc/arpeggio/connection';
  const url = new URL(readFileSync(`${folder}/results`, 'utf8').trim());
  const commands = [...(url.password === '' ? [] : [['AUTH', decodeURIComponent(url.password)]]), command];
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port || 6379), url.hostname, () => socket.write(commands.map(encode).join('')));
    let answer = '';
    socket.setTimeout(60_000, () => socket.destroy(new Error('redis did not answer within 60 s')));
    socket.on('data', (chunk) => {
      answer += chunk.toString();
      if (answer.includes('-')) socket.destroy(new Error(`redis answered ${answer.trim()}`));
      const length = /:(\d+)\r\n$/.exec(answer);
      if (length === null) return;
      socket.end();
      resolve(Number(length[1]));
    });
    socket.once('error', reject);
  });
}

/** A command as Redis reads it. */
function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
