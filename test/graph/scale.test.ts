import { describe, expect, it } from 'vitest'
import { cpuMs } from '../helpers/cpu-time.ts'
import { testGraph } from './test-components.ts'

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!

describe('a large graph', () => {
	/** A file, 998 sinks of which one follows the file, and a source that sends to all of them. */
	const text = (): string => {
		const sinks = Array.from(
			{ length: 998 },
			(_, i) => `test.sink "k${i}" {\n\ttag = ${i === 500 ? 'local.file.f.content' : '"x"'}\n}\n`,
		)
		const ports = Array.from({ length: 998 }, (_, i) => `test.sink.k${i}.input`)
		return `local.file "f" {\n\tfilename = "/f"\n}\n${sinks.join('')}test.source "s" {\n\toutput {\n\t\ttraces = [${ports.join(', ')}]\n\t}\n}\n`
	}

	it('of 1 000 components loads within a second of processor time and follows one change within 5 ms of it', async () => {
		const { graph, journal, load } = testGraph()
		journal.files.set('/f', 'a')
		const started = cpuMs()
		expect((await load(text())).ok).toBe(true)
		const loadMs = cpuMs() - started
		expect(graph.components()).toHaveLength(1000)
		const times: number[] = []
		for (let i = 0; i < 20; i++) {
			const from = cpuMs()
			journal.watchers.get('local.file.f')!(`b${i}`)
			await graph.settled()
			times.push(cpuMs() - from)
		}
		const reloadFrom = cpuMs()
		await load(text())
		console.log(
			`1 000 components: load ${loadMs.toFixed(0)} ms, one change ${median(times).toFixed(2)} ms, unchanged reload ${(cpuMs() - reloadFrom).toFixed(0)} ms`,
		)
		expect(journal.take().filter((line) => line.startsWith('update'))).toHaveLength(20)
		expect(loadMs).toBeLessThan(1000)
		expect(median(times)).toBeLessThan(5)
		await graph.stop(1000)
	})

	it('survives 200 reloads, good and bad, without losing a component or growing', async () => {
		const { graph, journal, load } = testGraph()
		const good = (tag: number): string => `test.sink "k" { tag = "${tag}" }
declare "m" {
	argument "t" { }
	test.sink "inner" { tag = argument.t.value }
	export "port" { value = test.sink.inner.input }
}
m "one" { t = "${tag % 3}" }
test.source "s" {
	name = "${tag % 2}"
	output { traces = [test.sink.k.input, m.one.port] }
}`
		const bad = [
			'test.sink "k" { tag = "broken" }\ntest.sink "new" { tag = "broken" }',
			'nope "x" { }',
			'test.sink "k" { tag = }',
			'test.sink "k" { tag = [1] }',
		]
		await load(good(0))
		journal.take()
		let heap = 0
		for (let i = 1; i <= 200; i++) {
			const result = await load(i % 2 === 0 ? good(i) : bad[(i >> 1) % bad.length]!)
			expect(result.ok).toBe(i % 2 === 0)
			expect(graph.components()).toHaveLength(4)
			if (i === 50) heap = process.memoryUsage().heapUsed
		}
		expect(
			journal.take().filter((line) => /^(build|stop) test\.(sink\.(k|inner)|source\.s)/.test(line)),
		).toEqual([])
		expect(graph.components().every((one) => one.health.state === 'healthy')).toBe(true)
		expect(process.memoryUsage().heapUsed - heap).toBeLessThan(64 * 1024 * 1024)
		await graph.stop(1000)
	})
})
