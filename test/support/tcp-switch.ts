import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** An address that stays while the server behind it changes, as a Service does. */
export interface TcpSwitch {
  readonly port: number;
  /** Breaks every connection and leads new ones to another port. */
  readonly pointAt: (port: number) => void;
  readonly close: () => void;
}

export async function openTcpSwitch(port: number): Promise<TcpSwitch> {
  let target = port;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    pointAt(next) {
      target = next;
      breakAll();
    },
    close() {
      server.close();
      breakAll();
    },
  };
}
