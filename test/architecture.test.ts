import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import { beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const layers = ['core', 'io', 'operator', 'worker-image', 'cli', 'sdk', 'scripts', 'examples', 'test'];

function sourcesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
    .map((path) => `${folder}/${path}`);
}

const present = readdirSync(root).filter((name) => layers.includes(name));
const sources = present.flatMap(sourcesBelow);

describe('the layers', () => {
  let result: ICruiseResult;
  beforeAll(async () => {
    const { forbidden, options } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as {
      forbidden: NonNullable<ICruiseOptions['ruleSet']>['forbidden'];
      options: ICruiseOptions;
    };
    const ruleSet = forbidden === undefined ? {} : { forbidden };
    const cruised = await cruise(present, { ...options, baseDir: root, validate: true, ruleSet });
    result = cruised.output as ICruiseResult;
  }, 60_000);

  test('every source file is looked at: no violation among nothing proves nothing', () => {
    const seen = new Set(result.modules.map(({ source }) => source));
    expect(sources.length).toBeGreaterThan(10);
    expect(sources.filter((path) => !seen.has(path))).toEqual([]);
    expect(result.summary.totalDependenciesCruised ?? 0).toBeGreaterThan(sources.length / 2);
  });

  test('every import leads somewhere: one that does not resolve would hide what it breaks', () => {
    const lost = result.modules
      .filter(({ source }) => sources.includes(source))
      .flatMap(({ source, dependencies }) =>
        dependencies.filter((dependency) => dependency.couldNotResolve).map(({ module }) => `${source} → ${module}`),
      );
    expect(lost).toEqual([]);
  });

  test('no import points up or across', () => {
    const violations = result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
    expect(violations).toEqual([]);
  });

  test('of the programs only the local mode takes the shells of others, and it does', () => {
    const programs = /^(core|io|operator|worker-image|cli|examples)\//;
    const takers = result.modules.filter(({ source, dependencies }) =>
      dependencies.some(
        ({ resolved }) =>
          /^(operator\/runs|worker-image\/runtime)\//.test(resolved) &&
          !resolved.startsWith(source.split('/')[0] ?? ''),
      ),
    );
    const folders = takers.map(({ source }) => source.split('/').slice(0, 2).join('/'));
    expect([...new Set(folders.filter((folder) => programs.test(folder)))].toSorted()).toEqual([
      'cli/local',
      'cli/testing',
    ]);
  });

  test('a file that breaks a rule is seen', async () => {
    const forbidden = [
      { name: 'probe', severity: 'error' as const, from: { path: '^scripts/check[.]ts$' }, to: { path: '^scripts/' } },
    ];
    const cruised = await cruise(['scripts/check.ts'], {
      doNotFollow: { path: '.' },
      baseDir: root,
      validate: true,
      ruleSet: { forbidden },
    });
    expect((cruised.output as ICruiseResult).summary.violations.length).toBeGreaterThan(0);
  }, 60_000);
});

describe('the core reaches for nothing outside', () => {
  // Lint says the same with types in hand; this holds where a comment has switched a lint rule off.
  const impure =
    /\b(?:Date\.now|new Date\b|process\.|setTimeout|setInterval|setImmediate|Math\.random|crypto\.|fetch\(|console\.|performance\.)/;
  test('no clock, chance, environment or output', () => {
    const guilty = sources
      .filter((path) => path.startsWith('core/'))
      .flatMap((path) =>
        readFileSync(join(root, path), 'utf8')
          .split('\n')
          .map((line, index) => ({ line: line.replace(/\/\/.*|^\s*\*.*|\/\*.*/, ''), at: `${path}:${index + 1}` })),
      )
      .filter(({ line }) => impure.test(line));
    expect(guilty.map(({ at, line }) => `${at} ${line.trim()}`)).toEqual([]);
  });
});
