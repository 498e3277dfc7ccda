import { strictJson } from '#core/base/python-json.ts';
import type { JsonText } from '#core/base/json-text.ts';
import type { StepFailure, WorkflowStatus } from '#core/resources/workflow-status.ts';
import { failedElement, failureText } from '#core/workflow/failure-text.ts';
import type { CheckedWorkflow } from '../check/check-manifests.ts';
import type { Output, RunCommand } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { Terminal } from '../show/terminal.ts';
import type { LocalRun } from './local-run.ts';

export interface EndOptions {
  readonly command: RunCommand;
  readonly terminal: Terminal;
  readonly workflow: CheckedWorkflow;
  /** Why the run was cancelled from outside, if it was. */
  readonly cancelledBy: ExitCode | undefined;
}

/** Writes what a run came to: the result to stdout, the rest to stderr. */
export async function reportEnd(run: LocalRun, options: EndOptions): Promise<ExitCode> {
  const { command, terminal, workflow, cancelledBy } = options;
  const status = run.status();
  const result = await run.resultText();
  if (!command.isQuiet || result === undefined) await tellEnd(run, status, { terminal, name: workflow.manifest.name });
  const text = outputText(command.output, result, status);
  if (text !== undefined) terminal.out(`${text}\n`);
  return result !== undefined ? exitCodes.Succeeded : (cancelledBy ?? codeOf(status));
}

function codeOf({ state }: WorkflowStatus): ExitCode {
  return state === 'Cancelled' ? exitCodes.Cancelled : exitCodes.Failed;
}

function outputText(output: Output, result: JsonText | undefined, status: WorkflowStatus): string | undefined {
  if (output === 'status') return JSON.stringify(status, undefined, 2);
  if (result === undefined) return undefined;
  const text = strictJson(result);
  const value: unknown = output === 'text' ? JSON.parse(text) : undefined;
  return typeof value === 'string' ? value : text;
}

interface Tale {
  readonly terminal: Terminal;
  readonly name: string;
}

async function tellEnd(run: LocalRun, status: WorkflowStatus, { terminal, name }: Tale): Promise<void> {
  const { failures = [], handlers = [] } = status;
  terminal.err(`${name}: ${verdictText(status, terminal)}\n`);
  for (const failure of failures) await tellFailure(run, failure, terminal);
  for (const { path, task, state: became, message: said } of handlers) {
    if (became !== 'Succeeded') terminal.err(`${path}: ${task} ${became}${said === undefined ? '' : `: ${said}`}\n`);
  }
}

function verdictText({ state = '', duration = '', conditions }: WorkflowStatus, terminal: Terminal): string {
  const colour = state === 'Succeeded' ? 'green' : 'red';
  return `${terminal.style(colour, state)} in ${duration}: ${conditions?.[0]?.message ?? ''}`;
}

async function tellFailure(run: LocalRun, failure: StepFailure, terminal: Terminal): Promise<void> {
  const { taskId } = failure;
  const who = failedElement(failure);
  terminal.err(`${terminal.style('red', who)}${failureText(failure).slice(who.length)}\n`);
  const traceback = taskId === undefined ? undefined : await run.tracebackOf(taskId);
  const frames = traceback === undefined ? [] : ownFrames(traceback);
  if (frames.length > 0) terminal.err(`${terminal.style('dim', frames.join('\n'))}\n`);
}

/** The frames of a stack that are the user's: below the call of his function it is the worker's. */
function ownFrames(traceback: string): readonly string[] {
  const frames = traceback.split('\n').filter((line) => /^\s+at /.test(line));
  const call = frames.findIndex((line) => line.includes('AsyncLocalStorage.run'));
  return call === -1 ? frames : frames.slice(0, Math.max(0, call - 1));
}
