import { defineConfig } from 'vitest/config'

/** Tests that share the kernel, ports or the machine's time: one file after the other, after all the rest. */
const serial = ['test/kernel/**/*.test.ts', 'test/e2e/**/*.test.ts']

export default defineConfig({
	test: {
		setupFiles: ['test/setup.ts'],
		testTimeout: 60_000,
		hookTimeout: 180_000,
		projects: [
			{
				extends: true,
				test: {
					name: 'parallel',
					pool: 'forks',
					include: ['test/**/*.test.ts'],
					exclude: ['test/vm/**', 'test/long/**', ...serial],
					sequence: { groupOrder: 0 },
				},
			},
			{
				extends: true,
				test: {
					name: 'serial',
					pool: 'forks',
					include: serial,
					maxWorkers: 1,
					fileParallelism: false,
					sequence: { groupOrder: 1 },
				},
			},
			{
				extends: true,
				test: {
					name: 'long',
					pool: 'forks',
					include: ['test/long/**/*.test.ts'],
					maxWorkers: 1,
					fileParallelism: false,
					sequence: { groupOrder: 2 },
					testTimeout: 600_000,
				},
			},
		],
	},
})
