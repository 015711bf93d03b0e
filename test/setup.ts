// The long run asks for more runs of every property; see scripts/test-long.mjs.
const runs = Number(process.env['VOR_FUZZ_RUNS'] ?? 0)
if (runs > 0) {
	const { configureGlobal } = await import('fast-check')
	configureGlobal({ numRuns: runs })
}

// A worker whose vitest was killed ends, and with it the programs it started (test/helpers/spawn.ts).
process.once('disconnect', () => process.exit())
