import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Kubectl } from '../../../scripts/demo/kubectl.ts';
import { nothingSeen, type Observation } from '../../../scripts/demo/observation.ts';
import { Steering } from '../../../scripts/demo/steering.ts';

function seeing(state: string): Observation {
  return { ...nothingSeen, workflows: new Map([['steered', { state }]]) };
}

test('the example is cancelled, asked for again and let go, each once and when its state allows it', async () => {
  const files: string[] = [];
  const kubectl: Kubectl = {
    run: (args) => {
      files.push(args.at(-1) ?? '');
      return Promise.resolve('');
    },
    read: () => Promise.reject(new Error('nothing is read')),
  };
  const steering = new Steering(kubectl, 'examples');
  const states = ['Pending', 'Suspended', 'Suspended', 'Finalizing', 'Cancelled', 'Cancelled', 'Suspended', 'Running'];
  const said: (string | undefined)[] = [];
  for (const state of states) said.push(await steering.attend(seeing(state)));
  expect(await steering.attend(nothingSeen)).toBeUndefined();
  const steps = ['cancel', 'retry', 'resume'].map((name) => `patched with /examples/steered/${name}.json`);
  expect(said.filter((each) => each !== undefined)).toEqual(steps);
  expect(said.indexOf(steps[1])).toBe(4);
  expect([files.length, files.every((file) => existsSync(file)), steering.isDone]).toEqual([3, true, true]);
});
