import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { command, type PsRow } from '../../src/cli/ps.ts'
import { spawn } from '../helpers/spawn.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-ps-test-'))
let target: ChildProcess
let port = 0

beforeAll(async () => {
	const script = join(folder, 'billing.mjs')
	writeFileSync(
		script,
		`import http from 'node:http'
const server = http.createServer().listen(0, '127.0.0.1', () => console.log(server.address().port))`,
	)
	target = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
	const [text] = await once(target.stdout!, 'data')
	port = Number(text)
})
afterAll(() => {
	target?.kill()
	rmSync(folder, { recursive: true, force: true })
})

async function ps(...argv: string[]) {
	const stdout = new PassThrough()
	const stderr = new PassThrough()
	const failure = await command
		.run(argv, { stdout, stderr, env: { PORT: String(port) }, isTty: false })
		.catch((reason: unknown) => reason)
	return { failure, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

/** What it says of our program. */
async function mine(...argv: string[]): Promise<PsRow | undefined> {
	const { failure, out, err } = await ps('--json', ...argv)
	expect(failure, err).toBe(0)
	return (JSON.parse(out) as PsRow[]).find((row) => row.pid === target.pid)
}

function pipeline(name: string, text: string): string {
	const path = join(folder, name)
	writeFileSync(path, text)
	return path
}

test('without a pipeline every program is selected, under the name it would get', async () => {
	expect(await mine()).toMatchObject({
		serviceName: 'billing',
		listenPorts: [port],
		selection: 'selected',
	})
})

test("a pipeline's own rules select and name, evaluated as they are when it runs", async () => {
	const file = pipeline(
		'select.alloy',
		`beyla.ebpf "x" {
	discovery {
		instrument {
			name       = "invoices"
			open_ports = sys.env("PORT")
		}
	}
}
`,
	)
	expect(await mine(file)).toMatchObject({
		serviceName: 'invoices',
		selection: 'selected',
		selectionReason: `selected by instrument[0] (open_ports ${port})`,
	})
	const rows = JSON.parse((await ps('--json', file)).out) as PsRow[]
	const others = rows.filter((row) => row.pid !== target.pid)
	expect(others.length).toBeGreaterThan(0)
	expect(new Set(others.map((row) => row.selection))).toEqual(new Set(['rejected']))
})

test('of two components the one that selects is named, in a module too', async () => {
	const file = pipeline(
		'two.alloy',
		`beyla.ebpf "nobody" {
	discovery {
		instrument {
			exe_path = "/nothing"
		}
	}
}

declare "billing" {
	beyla.ebpf "inner" {
		discovery {
			instrument {
				open_ports = "${port}"
			}
		}
	}
}

billing "b" { }
`,
	)
	expect((await mine(file))?.selectionReason).toBe(
		`selected by instrument[0] (open_ports ${port}) of billing.b/beyla.ebpf.inner`,
	)
})

test('nothing of the pipeline is run: no file is written and the exporters stay silent', async () => {
	const output = join(folder, 'spans.txt')
	const file = pipeline(
		'silent.alloy',
		`beyla.ebpf "x" {
	discovery {
		instrument {
			open_ports = "${port}"
		}
	}

	output {
		traces = [otelcol.exporter.debug.d.input, otelcol.exporter.otlp.o.input]
	}
}

otelcol.exporter.debug "d" {
	use_internal_logger = false
	output_paths        = ["${output}"]
}

otelcol.exporter.otlp "o" {
	client {
		endpoint = "127.0.0.1:1"
	}
}
`,
	)
	expect((await mine(file))?.selection).toBe('selected')
	expect(existsSync(output)).toBe(false)
})

test('a pipeline that does not load is told with its place, one without a source with what to do', async () => {
	const bad = await ps(pipeline('bad.alloy', 'beyla.ebpf "x" {\n\tnothing = 1\n}\n'))
	expect(bad.failure).toBe(1)
	expect(bad.err).toContain('bad.alloy:2:2')
	const empty = await ps(pipeline('empty.alloy', 'logging { }\n'))
	expect(empty.failure).toMatchObject({
		code: 'E_CONFIG',
		message: expect.stringContaining('no ebpf.ringbuf'),
	})
})

test('unreadable connections come from a running Vör', async () => {
	const services = [
		{ service: 'billing', unreadable: [{ protocol: 'tls', connections: 214 }] },
		{ service: 'gone', unreadable: [{ protocol: 'http2', connections: 1 }] },
	]
	const server = createServer((_request, response) => response.end(JSON.stringify({ services })))
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const address = `--address=127.0.0.1:${(server.address() as AddressInfo).port}`
	try {
		expect((await mine(address))?.unreadable).toEqual([{ protocol: 'tls', connections: 214 }])
		const { out, err } = await ps(address)
		const line = out.split('\n').find((each) => each.startsWith(`${target.pid} `))
		expect(line).toContain('TLS, 214 connections')
		expect(err).toBe('Also not readable: gone, HTTP/2, 1 connection\n')
	} finally {
		server.close()
	}
})

test('an address where no Vör answers is an error when it was asked for', async () => {
	const { failure } = await ps('--address=127.0.0.1:1')
	expect(failure).toMatchObject({ message: expect.stringContaining('no Vör answers') })
	expect((await ps('--address=nowhere')).failure).toMatchObject({
		code: 'E_USAGE',
		fix: '--address=127.0.0.1:12345',
	})
})

test('the pipelines of the repository say whom they instrument', async () => {
	for (const name of ['local.alloy', 'alloy.alloy'])
		expect((await mine(fileURLToPath(new URL(`../../pipelines/${name}`, import.meta.url))))?.selection).toBe(
			'selected',
		)
})
