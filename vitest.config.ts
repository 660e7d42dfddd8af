import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Worker threads would share one addon, one environment and one /proc/self; forks fail alone.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A Host left open shows as a worker that does not end.
    teardownTimeout: 5_000,
    reporters: ['default', './test/support/skip-reporter.ts'],
  },
})
