import { createServer, type Server } from 'node:http';

/** Answers `GET /healthz` with 200 as long as this process turns its event loop. Port 0 opens nothing. */
export function openHealth(port: number): Server | undefined {
  if (port === 0) return undefined;
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/healthz' ? 200 : 404, { 'content-type': 'text/plain' });
    response.end(request.url === '/healthz' ? 'ok\n' : 'not found\n');
  });
  server.listen(port);
  server.unref();
  return server;
}
