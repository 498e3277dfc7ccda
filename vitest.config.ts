import { defineConfig } from 'vitest/config';

const projects = ['unit', 'conformance', 'golden', 'scenarios', 'simulation', 'integration'] as const;

export default defineConfig({
  test: {
    projects: [
      ...projects.map((name) => ({
        test: {
          name,
          include: [
            `test/${name}/**/*.test.ts`,
            ...(name === 'unit' ? ['test/architecture.test.ts', 'examples/**/*.test.ts'] : []),
          ],
          testTimeout: name === 'unit' ? 15_000 : 60_000,
          hookTimeout: 120_000,
        },
      })),
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
