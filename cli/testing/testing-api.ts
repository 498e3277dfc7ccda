/** What tests of workflows import as `arpeggio/testing`. */
export { runWorkflow, startWorkflow } from './run-workflow.ts';
export { sleep } from './test-scope.ts';
export type {
  GivenWorkflow,
  Task,
  TestClock,
  TestedCall,
  TestedFailure,
  TestedHandler,
  TestedRun,
  TestOptions,
} from './tested-run.ts';
