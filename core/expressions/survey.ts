import { fail, ok, type Result } from '#core/base/result.ts';
import { nearestWord } from '#core/base/nearest-word.ts';
import { callOf, fieldOf, partsOf, type Call, type SyntaxNode } from './syntax.ts';

/** What an expression speaks of. */
export interface Survey {
  /** Steps by name, in the order of the text. */
  readonly stepNames: readonly string[];
  /** Those whose result it asks for. */
  readonly resultNames: readonly string[];
  readonly usesResult: boolean;
}

const functions = ['has', 'size', 'int', 'double', 'string', 'bool', 'type', 'dyn'];
const macros = ['all', 'exists', 'exists_one', 'map', 'filter'];
const methods = [...macros, 'size', 'contains', 'startsWith', 'endsWith', 'lowerAscii', 'upperAscii', 'trim', 'split'];
const typeNames = ['int', 'uint', 'double', 'string', 'bool', 'list', 'map', 'null_type', 'type'];
const runFields = ['name', 'namespace', 'uid'];
const known = 'result, steps.NAME.result, steps.NAME.state, run.name, run.namespace and run.uid';
/** The library keeps every type it has met for ever; so deep, there are not many. */
const deepestType = 4;

interface Findings {
  readonly steps: Set<string>;
  readonly results: Set<string>;
  usesResult: boolean;
}

/** Looks through a parsed expression: what it asks for, or the first thing that a condition may not hold. */
export function surveyExpression(root: SyntaxNode): Result<Survey, string> {
  if (typeDepthOf(root) > deepestType)
    return fail(`holds lists and maps within each other more than ${deepestType} deep; let a task make such a value`);
  const findings: Findings = { steps: new Set(), results: new Set(), usesResult: false };
  const problem = visit(root, findings, []);
  if (problem !== undefined) return fail(problem);
  const { steps, results, usesResult } = findings;
  return ok({ stepNames: [...steps], resultNames: [...results], usesResult });
}

/** The first problem within a part; `variables` are those of the macros around. */
function visit(node: SyntaxNode, findings: Findings, variables: readonly string[]): string | undefined {
  if (node.op === 'id') return visitName(String(node.args), findings, variables);
  const call = callOf(node);
  if (call !== undefined) return visitCall(call, findings, variables);
  const access = visitAccess(node, findings, variables);
  if (access !== undefined) return access === fine ? undefined : access;
  return visitAll(partsOf(node), findings, variables);
}

function visitAll(nodes: readonly SyntaxNode[], findings: Findings, variables: readonly string[]): string | undefined {
  for (const node of nodes) {
    const problem = visit(node, findings, variables);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function visitName(name: string, findings: Findings, variables: readonly string[]): string | undefined {
  if (variables.includes(name) || typeNames.includes(name)) return undefined;
  if (name === 'result') {
    findings.usesResult = true;
    return undefined;
  }
  if (name === 'steps') return 'speaks of steps without a name; write steps.NAME.result or steps.NAME.state';
  if (name === 'run') return 'speaks of run without a field; write run.name, run.namespace or run.uid';
  return `speaks of ${name}, which is not known; known are ${known}`;
}

function visitCall(call: Call, findings: Findings, variables: readonly string[]): string | undefined {
  const { name, receiver, args } = call;
  const allowed = receiver === undefined ? functions : methods;
  if (!allowed.includes(name)) return unknownCall(name, allowed);
  const [first] = args;
  const isMacro = receiver !== undefined && macros.includes(name);
  if (!isMacro || first?.op !== 'id')
    return visitAll([...(receiver === undefined ? [] : [receiver]), ...args], findings, variables);
  const variable = String(first.args);
  if (['result', 'steps', 'run', ...typeNames].includes(variable))
    return `names a variable ${variable}, which means something else; take another name in ${name}(…)`;
  return visit(receiver, findings, variables) ?? visitAll(args.slice(1), findings, [...variables, variable]);
}

function unknownCall(name: string, allowed: readonly string[]): string {
  const near = nearestWord(name, allowed);
  return near === undefined
    ? `calls ${name}(), which conditions cannot; they have ${allowed.join(', ')}`
    : `calls ${name}(), which conditions cannot; did you mean ${near}?`;
}

/** That an access is as it should be, and needs no further look. */
const fine = '';

/** What is read of `steps` and `run`; undefined for any other access. */
function visitAccess(node: SyntaxNode, findings: Findings, variables: readonly string[]): string | undefined {
  const access = fieldOf(node);
  if (access === undefined) return undefined;
  const { of, field } = access;
  if (isName(of, 'run', variables))
    return runFields.includes(field) ? fine : `asks for run.${field}; there are run.name, run.namespace and run.uid`;
  const step = fieldOf(of);
  if (step === undefined || !isName(step.of, 'steps', variables))
    return isName(of, 'steps', variables)
      ? `stops at steps.${field}; write steps.${field}.result or .state`
      : undefined;
  if (field !== 'result' && field !== 'state')
    return `asks for steps.${step.field}.${field}; there are steps.${step.field}.result and .state`;
  findings.steps.add(step.field);
  if (field === 'result') findings.results.add(step.field);
  return fine;
}

function isName(node: SyntaxNode, name: string, variables: readonly string[]): boolean {
  return node.op === 'id' && node.args === name && !variables.includes(name);
}

/** How deep lists and maps stand in each other at most in the type of what a part makes. */
function typeDepthOf(node: SyntaxNode): number {
  const depths = partsOf(node).map(typeDepthOf);
  if (node.op === 'list' || node.op === 'map') return 1 + Math.max(0, ...depths);
  // What is made of entries may be as deep as the entries and what is put around them.
  return callOf(node)?.name === 'map' ? 1 + depths.reduce((sum, depth) => sum + depth, 0) : Math.max(0, ...depths);
}
