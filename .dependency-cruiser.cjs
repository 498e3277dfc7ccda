/** One rule for each row of the layer table in docs/architecture.md. */
const rule = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

module.exports = {
  forbidden: [
    rule('no-cycles', {}, { circular: true }, 'A cycle means two files are one thought.'),
    rule('core-is-pure', { path: '^core/' }, { dependencyTypes: ['core'] }, 'core does no IO: no node: modules.'),
    rule(
      'core-stands-alone',
      { path: '^core/' },
      { path: '^(io|operator|worker-image|scripts|test)/' },
      'Imports point down.',
    ),
    rule(
      'core-takes-no-packages',
      { path: '^core/', pathNot: '^core/resources/' },
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
      'io-below-programs',
      { path: '^io/' },
      { path: '^(operator|worker-image|scripts|test)/' },
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
      'operator-knows-no-worker',
      { path: '^operator/' },
      { path: '^(worker-image|scripts|test)/' },
      'Programs do not import one another.',
    ),
    rule(
      'worker-knows-no-operator',
      { path: '^worker-image/' },
      { path: '^(operator|scripts|test)/' },
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
      'nothing-imports-test',
      { pathNot: '^(test/|scripts/(demo|bench))' },
      { path: '^test/' },
      'Tests are leaves; only the demo and the benchmark stand on them, for they run on their cluster.',
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
