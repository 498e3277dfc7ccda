/** What `--help` says, by command; the first is what `arpeggio` alone says. */
export const usages = {
  '': `arpeggio — run and check Workflows of arpeggio.dev without a cluster

  arpeggio run FILE --tasks MODULE   runs a Workflow in this process
  arpeggio check FILE...             says what is wrong with a file, and draws its graph
  arpeggio help COMMAND              more about either
  arpeggio --version

Examples
  arpeggio run train.yaml --tasks tasks.ts
  arpeggio check train.yaml pools.yaml --tasks tasks/
  cat train.yaml | arpeggio run - --tasks tasks.ts > result.json
`,
  run: `arpeggio run FILE --tasks MODULE [options]

Runs a Workflow in this process: the operator's own engine and the worker of the worker image, with queues, results and
runs in memory. Every queue that the file names exists. FILE is YAML or JSON, - is stdin.

Options
  -t, --tasks PATH        a task module, or a folder with tasks.ts and *-tasks.ts (also .js, .mjs, .mts); may be repeated
  -n, --name NAME         the Workflow to run, where the file holds several
  -c, --concurrency N     tasks at once; default: as many as there are processors
  -o, --output FORMAT     what goes to stdout at the end: json, the result (default); text, the result, a string without
                          its quotes; status, all that kubectl would show, also of a run that failed
  -q, --quiet             no progress, no logs; on failure still why
      --timeout DURATION  cancel the run after so long: 90s, 10m, 1h30m
      --no-color          no colours (also: NO_COLOR=1)

Progress, logs and errors go to stderr: a tree that is drawn over itself on a terminal, else a line for each change.
Ctrl-C cancels: what runs is asked to stop, linkError and finally still run. Ctrl-C again, a second later, leaves at once.

Exit codes
  0  succeeded                 124  --timeout passed
  1  failed                    130  cancelled (Ctrl-C)
  2  not run: the command line, the file or a module cannot be used
                               143  cancelled (SIGTERM)

Examples
  arpeggio run train.yaml --tasks tasks.ts
  arpeggio run train.yaml --tasks tasks/ --tasks more/extra-tasks.js --concurrency 8
  arpeggio run all.yaml --name train --tasks tasks/ -o status > status.json
  MODEL=$(arpeggio run train.yaml -t tasks.ts -o text --quiet --timeout 10m)
`,
  check: `arpeggio check FILE... [options]

Says everything that is wrong with Workflows, TaskQueues and WorkerPools, with line and column, and where a cluster would
make something else of a file than it says. Draws the graph of each Workflow. FILE is YAML or JSON, - is stdin.

Options
  -t, --tasks PATH    warn about tasks that these modules do not export; may be repeated
  -g, --graph STYLE   text (default), mermaid, or none
  -o, --output FORMAT text (default), or json: a list of findings instead of graphs
      --no-color      no colours (also: NO_COLOR=1)

Findings go to stderr, one a line: FILE:LINE:COLUMN: error: FIELD: what is wrong and the way out. Graphs go to stdout.

Exit codes
  0  nothing is wrong; there may be warnings
  2  something is wrong, or a file cannot be read

Examples
  arpeggio check train.yaml
  arpeggio check k8s/*.yaml --tasks tasks/
  arpeggio check train.yaml --graph mermaid >> README.md
`,
} as const;

export function usageOf(about: string | undefined): string | undefined {
  return Object.entries(usages).find(([command]) => command === (about ?? ''))?.[1];
}
