import { describe, expect, test } from 'vitest';
import { parseCommand } from '#cli/command.ts';
import { usageOf } from '#cli/usage.ts';

describe('the command line', () => {
  test('run, with everything that can be said', () => {
    const words = 'run f.yaml -t a.ts --tasks b -n x -c 3 -o status -q --timeout 1h30m --no-color';
    expect(parseCommand(words.split(' '))).toEqual({
      does: 'Run',
      file: 'f.yaml',
      tasks: ['a.ts', 'b'],
      name: 'x',
      concurrency: 3,
      output: 'status',
      isQuiet: true,
      mayColour: false,
      timeoutMs: 5_400_000,
    });
  });

  test('run says little by default', () => {
    expect(parseCommand(['run', '-'])).toMatchObject({
      file: '-',
      tasks: [],
      output: 'json',
      isQuiet: false,
      mayColour: true,
    });
  });

  test('check takes several files', () => {
    expect(parseCommand(['check', 'a', 'b', '-g', 'mermaid'])).toMatchObject({
      files: ['a', 'b'],
      graph: 'mermaid',
      output: 'text',
    });
  });

  test.each([
    [[], { does: 'Help', about: undefined }],
    [['--help'], { does: 'Help', about: undefined }],
    [['help', 'run'], { does: 'Help', about: 'run' }],
    [['run', '-h'], { does: 'Help', about: 'run' }],
    [['check', '--help'], { does: 'Help', about: 'check' }],
    [['--version'], { does: 'Version' }],
  ])('%j', (argv, command) => {
    expect(parseCommand(argv)).toEqual(command);
  });

  test.each([
    [['rum'], 'there is no command rum; did you mean run?'],
    [['fly'], 'there are run, check, help, version'],
    [['train.yaml'], 'say arpeggio run train.yaml'],
    [['run'], 'needs a FILE'],
    [['run', 'a', 'b'], 'takes one FILE and was given a, b'],
    [['run', 'a', '--task', 'x'], 'did you mean --tasks?'],
    [['run', 'a', '--tasks'], "Option '-t, --tasks <value>' argument missing"],
    [['run', 'a', '-c', '0'], '--concurrency is 0; give a whole number from 1 to 1000'],
    [['run', 'a', '-c', 'two'], '--concurrency is two'],
    [['run', 'a', '--timeout', '10'], '--timeout is 10; give a duration such as 90s'],
    [['run', 'a', '-o', 'yaml'], '--output is yaml; give json, text or status'],
    [['check'], 'needs at least one FILE'],
    [['check', 'a', '-g', 'dot'], '--graph is dot; give text, mermaid or none'],
  ])('%j is refused with the way out', (argv, message) => {
    expect(() => parseCommand(argv)).toThrow(message);
  });

  test.each([
    {
      about: 'run',
      more: ['--tasks', '--name', '--concurrency', '--output', '--quiet', '--timeout', '--no-color', '130'],
    },
    { about: 'check', more: ['--tasks', '--graph', '--output', '--no-color'] },
  ])('the help of $about tells every option', ({ about, more }) => {
    for (const word of more) expect(usageOf(about)).toContain(word);
  });
});
