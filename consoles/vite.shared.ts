import react from '@vitejs/plugin-react';
import { defineConfig, type UserConfig } from 'vite';

const GATEWAY = 'http://127.0.0.1:8000';

/** The build of one console: served under `/<name>/`, written to `dist/<name>`. */
export function consoleConfig(name: 'party' | 'category'): UserConfig {
  return defineConfig({
    base: `/${name}/`,
    plugins: [react()],
    build: {
      outDir: `../dist/${name}`,
      emptyOutDir: true,
      // A strict content security policy allows no data: addresses.
      assetsInlineLimit: 0,
    },
    // `npm run dev:party` talks to the gateway that `chaupal up` started.
    server: { proxy: { '/graphql': { target: GATEWAY, ws: true } } },
  });
}
