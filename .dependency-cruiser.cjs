/** One rule for each row of the layer table in docs/architecture.md. */
const rule = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

module.exports = {
  forbidden: [
    rule('no-cycles', {}, { circular: true }, 'A cycle means two files are one thought.'),
    rule('core-is-pure', { path: '^core/' }, { dependencyTypes: ['core'] }, 'core does no IO: no node: modules.'),
    rule(
      'core-stands-alone',
      { path: '^core/' },
      { path: '^(io|operator|worker-image|cli|scripts|test)/' },
      'Imports point down.',
    ),
    rule(
      'core-takes-no-packages',
      { path: '^core/', pathNot: '^core/(resources|expressions)/' },
      { dependencyTypes: ['npm', 'npm-dev', 'npm-optional'] },
      'core has no packages.',
    ),
    rule(
      'resources-take-only-zod',
      { path: '^core/resources/' },
      { dependencyTypes: ['npm', 'npm-dev'], pathNot: 'node_modules/zod' },
      'Schemas are zod and nothing else.',
    ),
    rule(
      'expressions-take-only-cel',
      { path: '^core/expressions/' },
      { dependencyTypes: ['npm', 'npm-dev'], pathNot: 'node_modules/@marcbachmann/cel-js' },
      'Conditions are CEL, and nothing else.',
    ),
    rule(
      'io-below-programs',
      { path: '^io/' },
      { path: '^(operator|worker-image|cli|scripts|test)/' },
      'io knows no program.',
    ),
    rule(
      'memory-never-knows-redis',
      { path: '^io/[^/]+/memory/' },
      { path: '^io/[^/]+/(redis|rabbitmq)/' },
      'A fake that leans on the real thing proves nothing.',
    ),
    rule(
      'desired-and-conditions-are-pure',
      { path: '^operator/(desired|conditions)/' },
      { path: '^(io|operator/(control|controllers|runs))/' },
      'Builders and conditions do no IO.',
    ),
    rule(
      'controllers-stand-on-top',
      { path: '^operator/(conditions|connections|depths|desired|homes|observed|runs)/' },
      { path: '^operator/controllers/' },
      'Controllers stand on what is observed, asked and driven, not the other way about.',
    ),
    rule(
      'operator-knows-no-worker',
      { path: '^operator/' },
      { path: '^(worker-image|cli|scripts|test)/' },
      'Programs do not import one another.',
    ),
    rule(
      'worker-knows-no-operator',
      { path: '^worker-image/' },
      { path: '^(operator|cli|scripts|test)/' },
      'Programs do not import one another.',
    ),
    rule(
      'worker-knows-no-kubernetes',
      { path: '^worker-image/' },
      { path: '^io/kube/' },
      'A worker has no business with the Kubernetes API.',
    ),
    rule(
      'shells-know-no-adapter',
      { path: '^(operator/runs|worker-image/runtime)/' },
      { path: '^io/(kube|[^/]+/redis)/' },
      'Shells take ports and clock as arguments.',
    ),
    rule(
      'only-the-local-mode-takes-shells',
      { path: '^cli/', pathNot: '^cli/(local|testing)/' },
      { path: '^(operator|worker-image)/' },
      'The shells of other programs run in one process in the local mode, and nowhere else.',
    ),
    rule(
      'the-local-mode-takes-shells-only',
      { path: '^cli/(local|testing)/' },
      { path: '^(operator/(?!runs/)|worker-image/(?!(runtime|tasks)/))' },
      'Of other programs only what takes its ports and its clock as arguments.',
    ),
    rule(
      'cli-stays-in-its-process',
      { path: '^cli/' },
      { path: '^io/(kube|redis|[^/]+/(redis|rabbitmq))/' },
      'Without a cluster there is no socket.',
    ),
    rule('cli-stands-alone', { path: '^cli/' }, { path: '^(scripts|test)/' }, 'Imports point down.'),
    rule(
      'nothing-imports-test',
      { pathNot: '^(test/|scripts/(demo|bench|prerequisites|provisions))' },
      { path: '^test/' },
      'Tests are leaves; only the demo and the benchmark stand on them, for they run on their cluster, and what makes beforehand what they need.',
    ),
    rule(
      'demo-takes-only-the-cluster',
      { path: '^scripts/demo' },
      { path: '^test/(?!cluster/)' },
      'The demo is no test.',
    ),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
