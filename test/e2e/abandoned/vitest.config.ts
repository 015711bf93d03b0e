import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** A run with one test that never ends, for abandoned.test.ts. */
export default defineConfig({
	test: {
		root: fileURLToPath(new URL('../../..', import.meta.url)),
		include: ['test/e2e/abandoned/hang.ts'],
		setupFiles: ['test/setup.ts'],
		pool: 'forks',
		testTimeout: 600_000,
	},
})
