import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    include: ['{party,category,shared}/**/*.test.{ts,tsx}'],
    setupFiles: ['shared/testing/setup.ts'],
    // One test must not see what another left behind.
    restoreMocks: true,
  },
});
