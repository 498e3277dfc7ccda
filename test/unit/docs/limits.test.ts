import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { limits } from '#core/base/limits.ts';

const page = readFileSync(new URL('../../../docs/limits.md', import.meta.url), 'utf8');

/** The bound in the row of that subject, as written. */
function boundOf(subject: string): string | undefined {
  return page
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .find(([, first]) => first === subject)?.[2];
}

const mib = (bytes: number): string => `${bytes / 1024 / 1024} MiB`;
const unlessSet = (bytes: number): string => `${mib(bytes)}, or what the administrator set`;
const kib = (bytes: number): string => `${bytes / 1024} KiB`;

describe('the page of limits says what the code holds', () => {
  test.each([
    ['nesting of a canvas', `${limits.canvasDepth} elements deep`],
    ['members of all elements of one workflow', limits.canvasMembers.toLocaleString('en')],
    ['items of a map', limits.mapItems.toLocaleString('en')],
    [
      'a condition in `when`',
      `${limits.conditionCharacters.toLocaleString('en')} characters, ${limits.conditionParts} parts, ${limits.conditionDepth} levels`,
    ],
    ['a value that a condition looks at', kib(limits.conditionValueBytes)],
    [
      'the work of a condition, counted in parts evaluated, values and characters looked at',
      limits.conditionWork.toLocaleString('en'),
    ],
    ["one task's result", unlessSet(limits.resultBytes)],
    ["the list that a chord's body gets", unlessSet(limits.listBytes)],
    ['an argument that names results', unlessSet(limits.listBytes)],
    ['all arguments of one message', mib(limits.argumentBytes)],
    ['a list of results that a map goes over', mib(limits.itemsBytes)],
    ['the final result under `status.resultTaskId`', unlessSet(limits.listBytes)],
    ['results of one Redis that the operator has heard and not decided on yet', mib(limits.seenBytes)],
    ['a final result shown in `status.result`', kib(limits.shownResultBytes)],
    ['an error message shown in status', `${limits.shownErrorCharacters} characters`],
    ['steps listed in status', String(limits.statusSteps)],
    ['failures listed in status', String(limits.statusFailures)],
    ["a workflow's status", kib(limits.statusBytes)],
    ["the checkpoint in a workflow's status", kib(limits.checkpointBytes)],
    ['times a task runs again after its worker was lost', String(limits.lostAttempts)],
  ])('%s: %s', (subject, bound) => {
    expect(boundOf(subject)).toBe(bound);
  });
});
