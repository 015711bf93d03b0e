// Builds the judge of our bytes: a real OpenTelemetry Collector, from its modules, once, into the cache folder.
// `node scripts/collector.mjs` prints its path. A cold build takes one to five minutes of two cores, a warm call none.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, ensureGo, locked, runLong, say } from './go-toolchain.mjs'

const source = join(dirname(fileURLToPath(import.meta.url)), 'collector')
const FILES = ['main.go', 'go.mod']

/** Path of the collector's binary, built if it is missing. */
export async function ensureCollector() {
	const hash = createHash('sha256')
	for (const file of FILES) hash.update(readFileSync(join(source, file)))
	const folder = join(cacheFolder(), `collector-${hash.digest('hex').slice(0, 12)}`)
	const binary = join(folder, 'judge')
	if (existsSync(binary)) return binary
	return await locked(`${folder}.lock`, async () => {
		if (!existsSync(binary)) await build(folder, binary)
		return binary
	})
}

async function build(folder, binary) {
	const { go, env } = await ensureGo()
	const started = Date.now()
	say(`collector: building the OpenTelemetry Collector into ${folder} (one to five minutes, once)`)
	mkdirSync(folder, { recursive: true })
	const work = mkdtempSync(join(folder, 'build-'))
	for (const file of FILES) copyFileSync(join(source, file), join(work, file))
	try {
		// go.mod pins what is asked for; what that needs follows from it, so no list of sums is kept here: Go checks them.
		await runLong('collector: modules', go, ['mod', 'tidy'], { cwd: work, env })
		const result = join(work, 'judge')
		await runLong('collector: compiling', go, ['build', '-trimpath', '-ldflags=-s -w', '-o', result, '.'], {
			cwd: work,
			env,
		})
		renameSync(result, binary)
	} finally {
		rmSync(work, { recursive: true, force: true })
	}
	say(`collector: ready after ${Math.round((Date.now() - started) / 1000)} s`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${await ensureCollector()}\n`)
