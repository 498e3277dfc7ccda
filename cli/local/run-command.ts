import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { routedQueueOf } from '../check/routed-queue.ts';
import { checkManifests, type CheckedWorkflow } from '../check/check-manifests.ts';
import { missingFromModules } from '../check/check-tasks.ts';
import { showFindings } from '../check/check-command.ts';
import { systemClock, type SystemClock } from '#io/system-clock.ts';
import type { RunCommand } from '../command.ts';
import { exitCodes, Unusable, type ExitCode } from '../exit-code.ts';
import { graphOf } from '../graph/graph-element.ts';
import { errorsExplained, hasErrors, inOrder } from '../manifest/finding.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { parseManifests } from '../manifest/parse-manifests.ts';
import { readSource } from '../manifest/read-source.ts';
import { LineDisplay } from '../show/line-display.ts';
import { quietDisplay } from '../show/quiet-display.ts';
import type { RunDisplay, RunSight } from '../show/run-display.ts';
import { shownStates } from '../show/shown-state.ts';
import type { Terminal } from '../show/terminal.ts';
import { TreeDisplay } from '../show/tree-display.ts';
import { Cancelling } from './cancelling.ts';
import { captureOutput } from './captured-output.ts';
import { chooseWorkflow } from './choose-workflow.ts';
import { openLocalHome } from './local-home.ts';
import { LocalQueues } from './local-queues.ts';
import { LocalRun } from './local-run.ts';
import { openLocalWorker } from './local-worker.ts';
import { queueNamesIn } from './queue-names.ts';
import { reportEnd } from './run-report.ts';
import { openTaskModules, type TaskModules } from './task-modules.ts';
import { taskLog } from './task-log.ts';

const longestGatherMs = 50;
/** Below this many steps there is nothing to gain. */
const widthPerMs = 200;

/** A Workflow of a file that can be run, and the TaskQueues beside it. */
interface Prepared {
  readonly workflow: CheckedWorkflow;
  readonly queues: LocalQueues;
  readonly modules: TaskModules;
}

/** `arpeggio run`. Throws `Unusable` when nothing could be begun. */
export async function performRun(command: RunCommand, terminal: Terminal): Promise<ExitCode> {
  const prepared = await prepare(command, terminal);
  if (prepared === undefined) return exitCodes.Unusable;
  const { workflow, queues, modules } = prepared;
  let display: RunDisplay = quietDisplay(terminal);
  let run: LocalRun | undefined;
  const clock = gatheringClock(() => run?.width ?? 0);
  const log = taskLog(
    (entry) => display.log(entry),
    (taskId) => run?.placeOf(taskId).path,
  );
  const release = captureOutput((stream, line) => log[stream === 'stdout' ? 'info' : 'warn']({}, line));
  const ended = Promise.withResolvers<undefined>();
  const onChange = (): void => {
    display.show();
    if (run?.hasEnded === true) ended.resolve(undefined);
  };
  const concurrency = command.concurrency ?? availableParallelism();
  const home = await openLocalHome({ clock, log, queues, slots: concurrency });
  const worker = openLocalWorker({ home, queues, ...modules, concurrency, clock, newId: randomUUID, log });
  try {
    const begun = await LocalRun.begin({ home, queues, workflow, nowMs: clock.nowMs, onChange });
    run = begun;
    display = displayOf(command, { terminal, workflow, see: () => sightOf(begun) });
    const cancelling = new Cancelling({ run, display, terminal, timeoutMs: command.timeoutMs });
    worker.start();
    onChange();
    await ended.promise;
    display.end();
    cancelling.end();
    return await reportEnd(run, { command, terminal, workflow, cancelledBy: cancelling.by });
  } finally {
    display.end();
    release();
    home.engine.close();
    await worker.drain(0);
    await modules.threads.close();
  }
}

/** A wide run costs more to look at than a small one: it is looked at less often, with more to see. */
function gatheringClock(width: () => number): SystemClock {
  return {
    ...systemClock,
    soon: (call) => {
      const gatherMs = Math.min(longestGatherMs, width() / widthPerMs);
      if (gatherMs < 1) systemClock.soon(call);
      else systemClock.after(gatherMs, call);
    },
  };
}

async function prepare(command: RunCommand, terminal: Terminal): Promise<Prepared | undefined> {
  const { manifests, findings } = parseManifests(await readSource(command.file));
  const before = checkManifests(manifests);
  const unreadable = inOrder([...findings, ...before.findings]);
  if (hasErrors(unreadable)) {
    showFindings(errorsExplained(unreadable), terminal);
    return undefined;
  }
  const workflow = chooseWorkflow(before.workflows, { ...command, option: '--name ' });
  if (workflow.spec.suspend === true)
    throw new Unusable(
      `Workflow ${workflow.manifest.name} has suspend: true, and nobody here would resume it; take that away`,
    );
  if (command.tasks.length === 0)
    throw new Unusable('arpeggio run needs --tasks MODULE: where the functions are that the tasks name');
  const modules = await openTaskModules(command.tasks);
  const known = new Set(modules.tasks.keys());
  const missing = checkManifests([workflow.manifest], { known, severity: 'error', missing: missingFromModules });
  if (hasErrors(missing.findings)) {
    showFindings(errorsExplained(missing.findings), terminal);
    await modules.threads.close();
    return undefined;
  }
  return { workflow, queues: queuesOf(before.queues, workflow), modules };
}

function queuesOf(declared: readonly Manifest[], { spec }: CheckedWorkflow): LocalQueues {
  return new LocalQueues(declared.map(routedQueueOf), queueNamesIn(spec), spec.defaultQueue);
}

function displayOf(
  { isQuiet }: RunCommand,
  {
    terminal,
    workflow,
    see,
  }: { readonly terminal: Terminal; readonly workflow: CheckedWorkflow; readonly see: () => RunSight },
): RunDisplay {
  if (isQuiet) return quietDisplay(terminal);
  const graph = graphOf(workflow.spec);
  if (terminal.isLive) return new TreeDisplay({ terminal, title: workflow.manifest.name, graph, see });
  return new LineDisplay({ terminal, graph, see, nowMs: systemClock.nowMs });
}

function sightOf(run: LocalRun): RunSight {
  const status = run.status();
  return { status, states: shownStates(run.elementRows(), status) };
}
