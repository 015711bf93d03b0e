/**
 * What a graph of 1 000 components costs: the first load, a reload in which one component changed, an unchanged reload, and
 * one change of an export that one component follows. Goals: a load under 1 s, a one-component change under 5 ms.
 */
import { testGraph } from '../graph/test-components.ts'

const count = 1000
const sinks = count - 2

/** A file, sinks of which one follows the file, and a source that sends to all of them. */
function pipeline(tag: string): string {
	const parts = ['local.file "f" {\n\tfilename = "/f"\n}\n']
	for (let i = 0; i < sinks; i++)
		parts.push(
			`test.sink "k${i}" {\n\ttag = ${i === 500 ? 'local.file.f.content' : i === 501 ? `"${tag}"` : '"x"'}\n}\n`,
		)
	const ports = Array.from({ length: sinks }, (_, i) => `test.sink.k${i}.input`)
	parts.push(`test.source "s" {\n\toutput {\n\t\ttraces = [${ports.join(', ')}]\n\t}\n}\n`)
	return parts.join('')
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

async function timed(times: number, work: (i: number) => Promise<unknown>): Promise<number> {
	const all: number[] = []
	for (let i = 0; i < times; i++) {
		const from = performance.now()
		await work(i)
		all.push(performance.now() - from)
	}
	return median(all)
}

const first: number[] = []
for (let i = 0; i < 5; i++) {
	const { graph, journal, load } = testGraph()
	journal.files.set('/f', 'a')
	const from = performance.now()
	const { ok } = await load(pipeline('x'))
	first.push(performance.now() - from)
	if (!ok || graph.components().length !== count) throw new Error('the graph was not loaded')
	await graph.stop(5000)
}

const { graph, journal, load } = testGraph()
journal.files.set('/f', 'a')
await load(pipeline('x'))
journal.take()
const change = await timed(200, async (i) => {
	journal.watchers.get('local.file.f')!(`b${i}`)
	await graph.settled()
})
if (journal.take().length !== 200) throw new Error('a change was not followed, or by more than one component')
const same = await timed(10, () => load(pipeline('x')))
if (journal.take().length !== 0) throw new Error('an unchanged reload touched a component')
const one = await timed(10, (i) => load(pipeline(`x${i}`)))
if (journal.take().length !== 10) throw new Error('a reload touched more than what changed')
await graph.stop(5000)

const row = (what: string, ms: number, goal?: number): void =>
	console.log(
		`${what.padEnd(44)} ${ms.toFixed(2).padStart(9)} ms${goal === undefined ? '' : `   (goal: under ${goal} ms)`}`,
	)
row(`first load of ${count} components`, median(first), 1000)
row('one component follows a changed export', change, 5)
row('reload with nothing changed', same)
row('reload with one component changed', one)
if (median(first) >= 1000 || change >= 5) process.exitCode = 1
