import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { arpeggio, CliProcess, root, type Ended } from './process.ts';

const tasks = 'test/scenarios/cli/tasks';

function workflow(spec: object, name = 'try'): string {
  return JSON.stringify({ apiVersion: 'arpeggio.dev/v1alpha1', kind: 'Workflow', metadata: { name }, spec });
}

function run(spec: object, ...options: readonly string[]): Promise<Ended> {
  return new CliProcess(['run', '-', '-t', tasks, ...options], { stdin: workflow(spec) }).ended;
}

describe('the examples', () => {
  test.each([
    { file: 'sum-of-squares', name: 'sum-of-squares', out: /^385\n$/ },
    { file: 'risky-division', name: 'safe-division', out: /^2.5\n$/ },
    { file: 'image-thumbnail', name: 'image-thumbnail', out: /"message":"your thumbnail of 16 x 12 is ready"/ },
    { file: 'ml-pipeline', name: 'ml-pipeline', out: /^{"r2":0\.99/ },
    { file: 'conditional', name: 'conditional', out: /^{.*}\n$/ },
    { file: 'dynamic-map', name: 'dynamic-map', out: /^.+\n$/ },
    { file: 'dynamic-map', name: 'chunked-map', out: /^25\n$/ },
  ])('$name runs, with its result alone on stdout', async ({ file, name, out }) => {
    const ended = await arpeggio(
      'run',
      `examples/${file}/workflow.yaml`,
      '--tasks',
      `examples/${file}`,
      '--name',
      name,
    );
    expect(ended).toMatchObject({ code: 0, out: expect.stringMatching(out) as string });
    expect(ended.err).toMatch(/Succeeded in .*: \d+ of \d+ tasks succeeded(, \d+ [a-z ]+)*\n/);
  });

  test('risky-division fails with 1, tells where, and has no result', async () => {
    const file = 'examples/risky-division/workflow.yaml';
    const ended = await arpeggio('run', file, '--tasks', 'examples/risky-division', '--name', 'risky-division');
    expect(ended).toMatchObject({ code: 1, out: '' });
    expect(ended.err).toContain(
      'spec: task divide failed with ZeroDivisionError: division by zero\n    at Object.divide',
    );
    expect(ended.err).toContain('Succeeded   on_fail  spec.linkError[0]');
    expect(ended.err).not.toContain('run-task.ts');
  });

  test('what fails without a task is told with its place, once', async () => {
    const { code, err } = await run({ chain: [{ task: 'word' }, { map: { task: 'word' } }] });
    expect(code).toBe(1);
    expect(err).toContain('\nspec.chain[1] failed with NotAList: what comes in is no list');
  });
});

describe('what is written', () => {
  test('a line for each change, and what tasks write with their names', async () => {
    const { code, err, out } = await run({
      chain: [{ task: 'talkative', args: ['hi'] }, { task: 'talkative_inline' }],
    });
    expect({ code, out }).toEqual({ code: 0, out: '"hi"\n' });
    for (const line of [
      '[talkative chain[0]] said hi',
      '[talkative chain[0]] cried hi',
      '[talkative chain[0]] logged word=hi',
      '[talkative_inline chain[1]] said inline hi',
    ])
      expect(err).toContain(`${line}\n`);
    expect(err).toMatch(/^ +\d+\.\d\ds {2}Succeeded {3}talkative {2}spec\.chain\[0\]/m);
  });

  test.each([
    [['--quiet'], '"a word"\n', ''],
    [['-q', '-o', 'text'], 'a word\n', ''],
  ])('with %j little', async (options, out, err) => {
    expect(await run({ task: 'word' }, ...options)).toEqual({ code: 0, out, err });
  });

  test('with --output status all that kubectl would show, also of a run that failed', async () => {
    const { code, out } = await run({ chain: [{ task: 'third_time' }, { task: 'word' }] }, '-q', '-o', 'status');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      state: 'Failed',
      failures: [{ path: 'spec.chain[0]', type: 'RangeError', message: 'call 1' }],
      steps: [{ state: 'Failed' }, { state: 'Skipped' }],
    });
  });

  test('a result with all its digits', async () => {
    expect(await run({ task: 'large' }, '-q')).toMatchObject({ code: 0, out: '1152921504606846977\n' });
  });
});

describe('a run', () => {
  test('has all that the engine has: maps, names, conditions, retries, timers, queues that nobody declared', async () => {
    const spec = {
      chain: [
        { task: 'numbers', name: 'list', queue: 'anywhere' },
        { map: { each: { chain: [{ task: 'twice' }, { task: 'twice', when: 'result > 2' }] } } },
        { task: 'third_time', immutable: true, retry: { maxRetries: 5, backoff: '10ms', escalateTo: 'elsewhere' } },
        { task: 'word', immutable: true, countdown: '50ms', when: 'steps.list.result[0] == 2' },
      ],
      finally: [{ task: 'tidy' }],
    };
    const ended = await run(spec, '-c', '1');
    expect(ended).toMatchObject({ code: 0, out: '3\n' });
    expect(ended.err).toContain('attempt 3');
    expect(ended.err).toContain('PassedOver  word');
    expect(ended.err).toContain('tidy after Succeeded');
  });

  test('without any task ends at once', async () => {
    expect(await run({ group: [] }, '-q')).toMatchObject({ code: 0, out: '[]\n' });
  });

  test('that its own file cancels ends with 130', async () => {
    expect(await run({ task: 'word', cancel: true })).toMatchObject({ code: 130, out: '' });
  });

  test('past its deadline ends with 1, after its errback', async () => {
    const { code, err } = await run({ task: 'polite', deadline: '300ms', linkError: [{ task: 'on_fail' }] });
    expect(code).toBe(1);
    expect(err).toContain('DeadlineExceeded');
    expect(err).toContain('on_fail polite');
  });
});

describe('cancelling', () => {
  const spec = {
    group: [{ task: 'polite' }, { task: 'leisurely' }],
    linkError: [{ task: 'on_fail' }],
    finally: [{ task: 'tidy' }],
  };

  test('Ctrl-C asks what runs to stop, runs handlers, and ends with 130', async () => {
    const process = new CliProcess(['run', '-', '-t', tasks, '-c', '2'], { stdin: workflow(spec) });
    await process.says('Running     polite');
    await process.says('Running     leisurely');
    process.signal('SIGINT');
    await process.says('cancelling');
    // npm and shells pass the same Ctrl-C on once more.
    process.signal('SIGINT');
    const { code, err, out } = await process.ended;
    expect({ code, out }).toEqual({ code: 130, out: '' });
    for (const said of ['Ctrl-C: cancelling', 'Cancelled   polite', 'on_fail polite', 'tidy after Cancelled'])
      expect(err).toContain(said);
  });

  test('a second Ctrl-C leaves at once, whatever runs', async () => {
    const process = new CliProcess(['run', '-', '-t', tasks], { stdin: workflow({ task: 'rude' }) });
    await process.says('Running     rude');
    process.signal('SIGINT');
    await process.says('cancelling');
    const again = setInterval(() => process.signal('SIGINT'), 300);
    const { code, err } = await process.ended;
    clearInterval(again);
    expect(code).toBe(130);
    expect(err).toContain('left at once');
  });

  test('SIGTERM cancels, and ends with 143', async () => {
    const process = new CliProcess(['run', '-', '-t', tasks], { stdin: workflow({ task: 'polite' }) });
    await process.says('Running     polite');
    process.signal('SIGTERM');
    expect(await process.ended).toMatchObject({ code: 143 });
  });

  test('--timeout cancels, and ends with 124', async () => {
    const { code, err } = await run({ task: 'polite', finally: [{ task: 'tidy' }] }, '--timeout', '500ms');
    expect(code).toBe(124);
    expect(err).toContain('--timeout 500ms passed: cancelling');
    expect(err).toContain('tidy after Cancelled');
  });
});

describe('what cannot be run ends with 2 and the way out', () => {
  const two = `${workflow({ task: 'word' }, 'one')}\n---\n${workflow({ task: 'word' }, 'two')}`;
  test.each([
    { why: 'no file', argv: ['run', 'nowhere.yaml', '-t', tasks], said: 'there is no file nowhere.yaml' },
    { why: 'a folder', argv: ['run', 'examples', '-t', tasks], said: 'examples is a folder' },
    { why: 'no tasks', argv: ['run', '-'], stdin: workflow({ task: 'word' }), said: 'needs --tasks MODULE' },
    {
      why: 'no module',
      argv: ['run', '-', '-t', 'nowhere'],
      stdin: workflow({ task: 'word' }),
      said: 'there is nothing at nowhere',
    },
    {
      why: 'a workflow in place of a module',
      argv: ['run', '-', '-t', 'examples/sum-of-squares/workflow.yaml'],
      stdin: workflow({ task: 'word' }),
      said: 'workflow.yaml is no TypeScript and no JavaScript; give a task module that ends in .ts',
    },
    {
      why: 'an unknown task',
      argv: ['run', '-', '-t', tasks],
      stdin: workflow({ task: 'wrd' }),
      said: 'spec.task: no module given by --tasks exports this task; did you mean word?',
    },
    {
      why: 'several Workflows',
      argv: ['run', '-', '-t', tasks],
      stdin: two,
      said: 'stdin holds 2 Workflows: choose one with --name one or --name two'.replace('stdin', '-'),
    },
    { why: 'another name', argv: ['run', '-', '-t', tasks, '-n', 'three'], stdin: two, said: 'there are one, two' },
    { why: 'a broken file', argv: ['run', '-', '-t', tasks], stdin: 'kind: [', said: 'stdin:1:' },
    {
      why: 'an invalid spec',
      argv: ['run', '-', '-t', tasks],
      stdin: workflow({ tsk: 'word' }),
      said: 'spec.tsk: unknown field; did you mean task?',
    },
    {
      why: 'a key that YAML 1.1 reads as true, with the warning that explains it',
      argv: ['run', '-', '-t', tasks],
      stdin: workflow({ task: 'word', args: [] }).replace('"args":[]', '"retry":{on: [Timeout]}'),
      said: 'warning: kubectl reads on as true',
    },
    {
      why: 'a suspended run',
      argv: ['run', '-', '-t', tasks],
      stdin: workflow({ task: 'word', suspend: true }),
      said: 'nobody here would resume it',
    },
    { why: 'an unknown option', argv: ['run', '-', '--fast'], said: "Unknown option '--fast'" },
    {
      why: 'a module that throws',
      argv: ['run', '-', '-t', 'test/scenarios/cli/broken.mjs'],
      stdin: workflow({ task: 'word' }),
      said: 'the module is broken on purpose',
    },
  ])('$why', async ({ argv, stdin = '', said }) => {
    const ended = await new CliProcess(argv, { stdin }).ended;
    expect(ended).toEqual({ code: 2, out: '', err: expect.stringContaining(said) as string });
  });

  test('help and version are answers, and go to stdout', async () => {
    expect(await arpeggio('--help')).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('Examples') as string,
    });
    expect(await arpeggio('run', '-h')).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('Exit codes') as string,
    });
    expect(await arpeggio('--version')).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
  });
});

describe('a module that cannot be loaded is told by its place and the way out, and without a stack', () => {
  test.each([
    { file: 'data.json', text: '{}', said: ' is no TypeScript and no JavaScript; give a task module that ends in .ts' },
    { file: 'celery.py', text: '', said: ' is no TypeScript and no JavaScript; tasks in Python run on Celery workers' },
    {
      file: 'enum.ts',
      text: '\nenum A {\n  B,\n}\n',
      said: ':2: SyntaxError: TypeScript enum is not supported in strip-only mode; Node takes types away',
    },
    { file: 'broken.ts', text: 'export function x( {', said: ':1: SyntaxError: ' },
    { file: 'throws.ts', text: '\n\nthrow new TypeError("at load");', said: ':3: TypeError: at load' },
    { file: 'text.mjs', text: 'throw "just text";', said: ' threw just text' },
    { file: 'far.ts', text: 'import "./nowhere.ts";', said: ": Error: Cannot find module '" },
  ])('$file', async ({ file, text, said }) => {
    const folder = mkdtempSync(join(tmpdir(), 'arpeggio-cli-'));
    const path = join(folder, file);
    writeFileSync(path, text);
    const { ended } = new CliProcess(['run', '-', '-t', path], { stdin: workflow({ task: 'x' }) });
    const { code, out, err } = await ended;
    rmSync(folder, { recursive: true });
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`arpeggio: --tasks: ${path}${said}`);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

test('several modules and folders are taken together', async () => {
  const spec = { chain: [{ task: 'numbers' }, { task: 'total' }] };
  const { ended } = new CliProcess(
    ['run', '-', '-q', '-t', `${root}/${tasks}/more-tasks.mjs`, '-t', 'examples/sum-of-squares'],
    {
      stdin: workflow(spec),
    },
  );
  expect(await ended).toMatchObject({ code: 0, out: '6\n' });
});
