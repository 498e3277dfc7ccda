import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { cacheFolder } from '../cluster/folders.ts';
import { withLock } from '../cluster/lock.ts';

const FIRST = 15_000;
/** From here on Kubernetes opens ports of its own. */
const END = 30_000;
const FEWEST = 1_000;

/** A TCP port of the loopback address that nobody listens on and nobody else is given for thousands of calls. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('the system gave no free port');
  return port;
}

/** As many different ones. Whoever is to be told apart from us names the same folder. */
export async function freePorts(count: number, folder = cacheFolder()): Promise<number[]> {
  mkdirSync(folder, { recursive: true });
  // In turn, among all processes: the next to ask must not be given a port whose server has not begun to listen.
  return withLock(join(folder, 'ports.lock'), () => nextPorts(count, join(folder, 'last-port')));
}

async function nextPorts(count: number, file: string): Promise<number[]> {
  const end = endOfRange();
  const ports: number[] = [];
  let last = lastPort(file) ?? FIRST + Math.floor(Math.random() * (end - FIRST));
  for (let tries = 0; tries < end - FIRST && ports.length < count; tries += 1) {
    last = last + 1 < end ? last + 1 : FIRST;
    if (await isFree(last)) ports.push(last);
  }
  if (ports.length < count) throw new Error(`fewer than ${count} of the ports ${FIRST} to ${end - 1} are free`);
  writeFileSync(file, String(last));
  return ports;
}

/**
 * Below the ports that the kernel gives by itself: a connection that anyone opens would else take one between the moment it
 * is chosen and the moment its server listens, or while that server restarts.
 */
function endOfRange(): number {
  const low = Number.parseInt(contentOf('/proc/sys/net/ipv4/ip_local_port_range'), 10);
  return low >= FIRST + FEWEST ? Math.min(low, END) : END;
}

function lastPort(file: string): number | undefined {
  const port = Number.parseInt(contentOf(file), 10);
  return port >= FIRST && port < END ? port : undefined;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
