import { defineConfig } from 'vitest/config';

const projects = ['unit', 'conformance', 'golden', 'scenarios', 'simulation', 'integration'] as const;

/** What is polled for comes at once or not at all; a second is short for a machine that has much to do. */
const expect = { poll: { timeout: 30_000 } };

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
          // How long a test may take says nothing of the product: a machine may be ten times as slow as this one.
          testTimeout: name === 'unit' ? 60_000 : 180_000,
          hookTimeout: 300_000,
          expect,
        },
      })),
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
          expect,
        },
      },
    ],
  },
});
