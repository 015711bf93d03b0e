// Cost of encoding one span, ours against the reference encoder, on batches as the pipeline makes them: 512 spans of ten
// attributes, six resource attributes. `npm run bench -- encode`
import { TraceWriter } from '../../src/export/otlp-trace-writer.ts'
import { createReferee } from '../export/referee.ts'
import { CLOCK, makeResource, makeSpan } from '../export/samples.ts'

const SPANS = 512
const resources = ['checkout', 'orders', 'stock', 'mail'].map((name) => makeResource(name))
const spans = Array.from({ length: SPANS }, (_, n) => makeSpan(n, resources[n % 4]!))
const options = { scopeName: 'vor', scopeVersion: '0.1.0', maxBytes: 4_128_768, maxItems: 3000 }
const own = new TraceWriter(options)
const stream = new TraceWriter(options)
const referee = createReferee('vor', '0.1.0')
const discard = () => undefined

const cases: Record<string, () => unknown> = {
	'own, encode(batch)': () => own.encode(spans, CLOCK),
	'own, as the exporter does (add, requests of 3000)': () => stream.add(spans, CLOCK, discard),
	'otlp-transformer with adapter': () => referee.encode(spans, CLOCK),
}
for (const run of Object.values(cases)) for (let i = 0; i < 300; i++) run()
const best: Record<string, number> = {}
// Interleaved rounds and the median of them: the machine's other work hits all alike.
const rounds: Record<string, number[]> = {}
for (let round = 0; round < 15; round++) {
	for (const [name, run] of Object.entries(cases)) {
		const started = process.cpuUsage()
		for (let i = 0; i < 40; i++) run()
		const used = process.cpuUsage(started)
		;(rounds[name] ??= []).push((used.user + used.system) / 40 / SPANS)
	}
}
for (const [name, times] of Object.entries(rounds))
	best[name] = times.sort((a, b) => a - b)[times.length >> 1]!
const reference = best['otlp-transformer with adapter']!
for (const [name, microseconds] of Object.entries(best)) {
	console.log(
		`encode  ${microseconds.toFixed(2)} µs/span  ×${(reference / microseconds).toFixed(1)}  ${name}`,
	)
}
console.log(`encode  ${(own.encode(spans, CLOCK).length / SPANS).toFixed(0)} bytes/span; goal ≤ 3 µs/span`)
