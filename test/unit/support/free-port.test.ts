import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePort, freePorts } from '../../support/free-port.ts';

const kernelRange = '/proc/sys/net/ipv4/ip_local_port_range';
const kernelsFirst = existsSync(kernelRange) ? Number.parseInt(readFileSync(kernelRange, 'utf8'), 10) : 0;

describe('a port for a server that is about to be started', () => {
  test('is given once, however many ask at once', async () => {
    const given = (await Promise.all(Array.from({ length: 3 }, () => freePorts(4)))).flat();
    expect(new Set(given).size).toBe(12);
  });

  test.skipIf(kernelsFirst < 16_000)('is none that the kernel gives by itself to whoever connects', async () => {
    expect(Math.max(...(await freePorts(3)))).toBeLessThan(kernelsFirst);
  });

  test('is none that somebody listens on', async () => {
    const taken = await freePort();
    const server = createServer().listen(taken, '127.0.0.1');
    await once(server, 'listening');
    const folder = mkdtempSync(join(tmpdir(), 'arpeggio-ports-'));
    writeFileSync(join(folder, 'last-port'), String(taken - 1));
    expect(await freePorts(1, folder)).not.toContain(taken);
    rmSync(folder, { recursive: true });
    server.close();
  });
});
