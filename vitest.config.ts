import { defineConfig } from 'vitest/config'

export default defineConfig({
	test: {
		pool: 'forks',
		include: ['test/**/*.test.ts'],
		exclude: ['test/bench/**', 'test/vm/**'],
		testTimeout: 60_000,
		hookTimeout: 180_000,
	},
})
