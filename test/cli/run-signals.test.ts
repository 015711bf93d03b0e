import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startProgram } from '../e2e/support/process.ts'
import { mainJs } from '../e2e/support/vor.ts'
import { serve } from '../graph/support.ts'

test('a signal ends vor run while its first load still waits for a module', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'vor-signals-'))
	let asked = () => {}
	const isAsked = new Promise<void>((done) => {
		asked = done
	})
	// It never answers.
	const silent = await serve(() => asked())
	const config = join(folder, 'config.alloy')
	writeFileSync(config, `import.http "m" {\n\turl = "${silent.url}"\n\tpoll_timeout = "60s"\n}\n`)
	const program = startProgram(process.execPath, [
		mainJs,
		'run',
		config,
		'--server.http.listen-addr=127.0.0.1:0',
		`--storage.path=${join(folder, 'data')}`,
	])
	try {
		await isAsked
		expect(await program.stop()).toBe(0)
		expect(program.stderr()).toContain('shutting down')
		expect(program.stderr()).not.toContain('Error:')
	} finally {
		await program.stop('SIGKILL')
		await silent.close()
		rmSync(folder, { recursive: true, force: true })
	}
})
