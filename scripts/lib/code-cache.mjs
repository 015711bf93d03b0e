// Writes V8's compiled code of the bundle, with every function that a start needs: runs `vor run` with a pipeline that needs
// no kernel, and keeps what was compiled by then. `node scripts/lib/code-cache.mjs dist/bundle/vor-HASH.cjs`
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { constants, Script } from 'node:vm'
import { pipelineText } from '../../dist/bench/pipeline.js'

const pipeline = pipelineText({
	label: 'd',
	ringbuf: undefined,
	exporter: { label: 'd', endpoint: '127.0.0.1:4317' },
})

const file = resolve(process.argv[2])
const folder = mkdtempSync(join(tmpdir(), 'vor-code-cache-'))
writeFileSync(join(folder, 'config.alloy'), pipeline)
process.argv = [
	process.execPath,
	file,
	'run',
	join(folder, 'config.alloy'),
	'--server.http.listen-addr=127.0.0.1:0',
	`--storage.path=${folder}/data`,
]

const script = new Script(readFileSync(file, 'latin1'), {
	filename: file,
	importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
})
// The log goes where whoever builds sees it only when it ends badly.
let log = ''
const write = process.stderr.write.bind(process.stderr)
process.stderr.write = (text) => {
	log += text
	if (text.includes('is running')) setImmediate(() => process.kill(process.pid, 'SIGTERM'))
	return true
}
process.on('exit', (code) => {
	rmSync(folder, { recursive: true, force: true })
	if (code !== 0 || !log.includes('msg=stopped')) {
		write(log)
		process.exitCode = 1
		return
	}
	const cache = file.replace(/\.cjs$/, '.cache')
	// Whoever starts meanwhile finds none or a whole one.
	writeFileSync(`${cache}.new`, script.createCachedData())
	renameSync(`${cache}.new`, cache)
})
const module = { exports: {} }
script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file))
