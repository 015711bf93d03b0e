import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stages } from './support/pipelines.ts'
import { run, startProgram } from './support/process.ts'
import { mainJs, runVor, startVor } from './support/vor.ts'

let folder: string
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'vor-bad-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, text: string): string {
	const path = join(folder, name)
	writeFileSync(path, text)
	return path
}

describe('bad input', () => {
	it('names a file that is not there and exits with 1', async () => {
		const result = await runVor(['run', join(folder, 'absent.alloy')])
		expect(result.code).toBe(1)
		expect(result.stderr).toContain('absent.alloy')
		expect(result.stderr).toMatch(/no such file/i)
	})

	it('shows line, column and excerpt of an unknown component', async () => {
		const path = file('unknown.alloy', 'ebpf.ringbof "x" {\n}\n')
		const result = await runVor(['run', path])
		expect(result.code).toBe(1)
		expect(result.stderr).toContain(
			`${path}:1:1: cannot find the definition of component name "ebpf.ringbof"`,
		)
		expect(result.stderr).toContain('1 | ebpf.ringbof "x" {')
	})

	it('shows a missing argument where it is missing', async () => {
		const path = file('missing.alloy', 'otelcol.exporter.otlp "x" {\n\tclient {\n\t}\n}\n')
		const result = await runVor(['run', path])
		expect(result.code).toBe(1)
		expect(result.stderr).toContain('missing required attribute "endpoint"')
		expect(result.stderr).toContain(`Error: ${path}:1:1: `)
		expect(result.stderr).toContain('1 |   otelcol.exporter.otlp "x" {')
	})

	it('refuses to run without root, says which capabilities are missing, and how to get them', async () => {
		const path = file('plain.alloy', stages({}))
		chmodSync(folder, 0o755)
		const result = await run('setpriv', [
			'--reuid=65534',
			'--regid=65534',
			'--clear-groups',
			'--bounding-set=-all',
			process.execPath,
			mainJs,
			'run',
			path,
			`--storage.path=${tmpdir()}/vor-nobody`,
		])
		expect(result.code).toBe(1)
		expect(result.stderr).toMatch(/CAP_BPF|root/)
		expect(result.stderr).toMatch(/sudo|setcap|AmbientCapabilities/)
	})

	it('names the one missing capability', async () => {
		const path = file('capability.alloy', stages({}))
		const result = await run('setpriv', [
			'--bounding-set=-perfmon,-sys_admin',
			'--inh-caps=-all',
			process.execPath,
			mainJs,
			'run',
			path,
			`--storage.path=${folder}/cap`,
		])
		expect(result.code).toBe(1)
		expect(result.stderr).toContain('CAP_PERFMON')
	})

	it('names the port that is in use', async () => {
		const server = await new Promise<Server>((resolve) => {
			const made = createServer().listen(0, '127.0.0.1', () => resolve(made))
		})
		const address = server.address()
		const port = typeof address === 'object' && address !== null ? address.port : 0
		const path = file('port.alloy', stages({}))
		const result = await runVor([
			'run',
			path,
			`--server.http.listen-addr=127.0.0.1:${port}`,
			`--storage.path=${folder}/port`,
		])
		server.close()
		expect(result.code).toBe(1)
		expect(result.stderr).toContain(String(port))
		expect(result.stderr).toContain('--server.http.listen-addr')
	})

	it('refuses a second instance over the same storage', async () => {
		const vor = await startVor(stages({}))
		const second = await runVor([
			'run',
			join(vor.folder, 'config.alloy'),
			'--server.http.listen-addr=127.0.0.1:0',
			`--storage.path=${vor.folder}/data`,
		])
		await vor.stop()
		expect(second.code).toBe(1)
		expect(second.stderr).toContain(String(vor.pid))
	})

	it('keeps running with its backend down, says so once, and counts', async () => {
		const vor = await startVor(stages({ endpoint: '127.0.0.1:1', interval: '200ms' }))
		const target = startProgram(process.execPath, [
			'-e',
			"require('http').createServer((q,r)=>r.end('x')).listen(0,function(){console.log('listening',this.address().port)})",
		])
		const [, port] = await target.waitFor(/listening (\d+)/)
		await run('curl', ['-s', `http://127.0.0.1:${port}/`])
		await vor.waitFor(/127\.0\.0\.1:1/, 15_000)
		expect((await fetch(`${vor.url}/-/healthy`)).status).toBe(200)
		expect(await vor.stop()).toBe(0)
		await target.stop()
	}, 40_000)
})
