import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The gateway's schema stands beside this folder.
  server: { fs: { allow: ['..'] } },
  test: {
    environment: 'jsdom',
    include: ['{party,category,shared}/**/*.test.{ts,tsx}'],
    setupFiles: ['shared/testing/setup.ts'],
    // One document for all files of a worker: each test cleans up after itself, and making a new
    // document for every file took longer than the tests.
    isolate: false,
    testTimeout: 30_000,
    // One test must not see what another left behind.
    restoreMocks: true,
  },
});
