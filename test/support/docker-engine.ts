import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { request } from 'node:http';

const ANSWER_WITHIN_MS = 20_000;
const DEFAULT_SOCKET = '/var/run/docker.sock';

let answer: Promise<boolean> | undefined;

/** Does a Docker engine answer, at `DOCKER_HOST` or at the default socket? Asked once per process. */
export function dockerAnswers(): Promise<boolean> {
  answer ??= ask(process.env['DOCKER_HOST']);
  return answer;
}

function ask(host: string | undefined): Promise<boolean> {
  if (host !== undefined && !host.startsWith('unix://')) return askByCommand();
  const socketPath = host?.slice('unix://'.length) ?? DEFAULT_SOCKET;
  return existsSync(socketPath) ? ping(socketPath) : Promise.resolve(false);
}

function ping(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: '/_ping', timeout: ANSWER_WITHIN_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.once('timeout', () => call.destroy(new Error('no answer')));
    call.once('error', () => resolve(false));
    call.end();
  });
}

function askByCommand(): Promise<boolean> {
  return new Promise((resolve) => {
    execFile('docker', ['info', '--format', '{{.ID}}'], { timeout: ANSWER_WITHIN_MS }, (error) =>
      resolve(error === null),
    );
  });
}
