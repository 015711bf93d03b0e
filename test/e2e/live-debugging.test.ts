import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { selecting, stages } from './support/pipelines.ts'
import { run } from './support/process.ts'
import { type Server, startNode } from './support/programs.ts'
import { eventually, startVor, type Vor } from './support/vor.ts'

describe('livedebugging', () => {
	let node: Server
	let vor: Vor
	const open: Reading[] = []

	interface Reading {
		readonly texts: string[]
		readonly ended: () => boolean
		cancel(): Promise<void>
	}

	const pipeline = (enabled: boolean, beyla = true): string => `
livedebugging {
	enabled = ${enabled}
}

local.file "f" {
	filename = "/etc/hostname"
}
${stages({ ringbuf: selecting({ ports: [node.port] }), endpoint: '127.0.0.1:1' })}
declare "inner" {
	beyla.ebpf "b" {
		discovery {
			instrument {
				open_ports = "${node.port}"
			}
		}

		output {
			traces = [otelcol.exporter.otlp.nowhere.input]
		}
	}

	otelcol.exporter.otlp "nowhere" {
		client {
			endpoint = "127.0.0.1:1"
		}
	}
}
${beyla ? 'inner "one" { }' : ''}
`
	const address = (id: string): string => `${vor.url}/api/v0/web/debug/${id}`

	/** Reads what comes until it is told to stop. */
	async function read(id: string, query = ''): Promise<Reading> {
		const response = await fetch(`${address(id)}${query}`)
		expect(response.status).toBe(200)
		const texts: string[] = []
		let ended = false
		const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
		void (async () => {
			let rest = ''
			for (;;) {
				const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }))
				if (done) break
				const parts = (rest + value).split('|;|')
				rest = parts.pop()!
				texts.push(...parts)
			}
			ended = true
		})()
		const reading = { texts, ended: () => ended, cancel: () => reader.cancel() }
		open.push(reading)
		return reading
	}
	const call = async (path: string): Promise<void> => {
		const { code, stderr } = await run('curl', ['-sS', '-o', '/dev/null', `${node.url}${path}`])
		expect(code, stderr).toBe(0)
	}
	async function reload(text: string): Promise<void> {
		writeFileSync(join(vor.folder, 'config.alloy'), text)
		const answer = await fetch(`${vor.url}/-/reload`)
		expect(answer.status, await answer.text()).toBe(200)
	}

	beforeAll(async () => {
		node = await startNode()
		vor = await startVor(pipeline(false))
	})
	afterAll(async () => {
		for (const each of open) await each.cancel()
		await vor?.stop()
		await node?.stop()
	})

	it('is refused while it is off, as in Alloy', async () => {
		const answer = await fetch(address('ebpf.decode.t'))
		expect([answer.status, await answer.text()]).toEqual([
			500,
			'the live debugging service is disabled. Check the documentation to find out how to enable it\n',
		])
	})

	it('is refused for components that pass nothing on, and for none', async () => {
		await reload(pipeline(true))
		for (const [id, message] of [
			['local.file.f', 'the component "local.file" does not support live debugging\n'],
			['inner.one', 'the component "inner" does not support live debugging\n'],
			['nothing.here', 'component not found\n'],
		] as const) {
			const answer = await fetch(address(id))
			expect([answer.status, await answer.text()]).toEqual([500, message])
		}
	})

	it('shows one request at every stage, in modules too, and in the API who can show', async () => {
		const ids = ['ringbuf', 'decode', 'correlate', 'propagate', 'aggregate'].map((name) => `ebpf.${name}.t`)
		const readings = new Map<string, Reading>()
		for (const id of [...ids, 'otelcol.exporter.otlp.judge', 'inner.one/beyla.ebpf.b'])
			readings.set(id, await read(id))
		await call('/status/201/livedebug-one')
		const shows = (id: string, pattern: RegExp) =>
			eventually(
				() => readings.get(id)!.texts.find((text) => pattern.test(text)),
				() => `${id} showed ${JSON.stringify(readings.get(id)!.texts)}\n${vor.stderr()}`,
			)
		await shows('ebpf.ringbuf.t', /^Records: \d+, \d+ bytes/)
		await shows(
			'ebpf.decode.t',
			new RegExp(
				`server http1 pid=${node.pid} .*GET 127.0.0.1:${node.port}/status/201/livedebug-one status=201 `,
			),
		)
		await shows('ebpf.correlate.t', /url\.path: Str\(\/status\/201\/livedebug-one\)/)
		await shows('ebpf.propagate.t', /Trace ID {7}: [0-9a-f]{32}[\s\S]*livedebug-one/)
		await shows('ebpf.aggregate.t', /-> Name: http\.server\.request\.duration/)
		await shows('otelcol.exporter.otlp.judge', /livedebug-one/)
		await shows('otelcol.exporter.otlp.judge', /-> Name: http\.server\.request\.duration/)
		await shows('inner.one/beyla.ebpf.b', /livedebug-one/)
		const infos = (await (await fetch(`${vor.url}/api/v0/web/components`)).json()) as {
			localID: string
			liveDebuggingEnabled: boolean
		}[]
		const can = new Map(infos.map(({ localID, liveDebuggingEnabled }) => [localID, liveDebuggingEnabled]))
		expect([can.get('local.file.f'), can.get('ebpf.decode.t')]).toEqual([false, true])
	})

	it('shows nothing of a share of 0, and refuses a share that is none', async () => {
		const none = await read('ebpf.decode.t', '?sampleProb=0')
		const all = await read('ebpf.decode.t', '?sampleProb=1')
		await call('/status/200/share')
		await eventually(
			() => all.texts.find((text) => text.includes('/share')),
			() => vor.stderr(),
		)
		expect(none.texts).toEqual([])
		expect((await fetch(`${address('ebpf.decode.t')}?sampleProb=1.5`)).status).toBe(400)
	})

	it('ends with its component, and when it is turned off', async () => {
		const beyla = open.find(({ texts }) => texts.some((text) => text.includes('livedebug-one')))!
		const gone = await read('inner.one/beyla.ebpf.b')
		await reload(pipeline(true, false))
		await eventually(
			() => (gone.ended() ? true : undefined),
			() => vor.stderr(),
		)
		expect(beyla.ended()).toBe(false)
		await reload(pipeline(false, false))
		await eventually(
			() => (open.every(({ ended }) => ended()) ? true : undefined),
			() => vor.stderr(),
		)
	})

	it('does not hold up the end', async () => {
		await reload(pipeline(true, false))
		const last = await read('ebpf.decode.t')
		const started = performance.now()
		expect(await vor.stop()).toBe(0)
		// The server gives open connections a second; a stream ends with its component before that.
		expect(last.ended()).toBe(true)
		expect(performance.now() - started).toBeLessThan(8000)
	})
})
