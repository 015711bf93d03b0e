import { Bench } from 'tinybench'
import { createAggregator } from '../../src/aggregate/index.ts'
import type { ExchangeBatch, SpanBatch } from '../../src/model/batch.ts'
import { HTTP_FLAG } from '../../src/model/record.ts'
import { createPropagator } from '../../src/propagate/index.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { decodeAndCorrelate, resourceOf } from '../protocols/support/pipeline.ts'
import { ANSWERED, freshId, httpRecord, processFact, rawBatch } from '../protocols/support/records.ts'

/**
 * CPU per span of the four engines, from drained bytes to counted histograms: `npx tsx test/bench/engines.ts`.
 * 512 records a batch: half server, half client spans of 8 processes, 200 distinct targets, kernel-joined ids.
 */
const BATCH = 512
const TARGETS = 200
const PROCESSES = 8

const processes = Array.from({ length: PROCESSES }, (_, i) =>
	processFact({ pid: 100 + i, serviceName: `service-${i}` }),
)
const records = Array.from({ length: BATCH }, (_, i) => {
	const isServer = i % 2 === 0
	return httpRecord({
		role: isServer ? 1 : 2,
		pid: 100 + (i % PROCESSES),
		target: `/api/items/${i % TARGETS}?page=2`,
		host: 'shop.example:8080',
		status: i % 50 === 0 ? 500 : 200,
		local: isServer ? ['127.0.0.1', 8080] : ['127.0.0.1', 30000 + i],
		remote: isServer ? ['127.0.0.1', 30001 + i] : ['127.0.0.1', 8080],
		flags:
			ANSWERED |
			HTTP_FLAG.sampledFlag |
			HTTP_FLAG.joinKey |
			(isServer ? HTTP_FLAG.joined : HTTP_FLAG.idsPublished),
		joinSeq: i,
		evidence: isServer ? 2 : 3,
		parentSpanId: freshId(8),
		requestBody: 10,
		responseBody: 1000 + i,
	})
})

const raw = rawBatch(records)
const accounting = createAccounting()
const { decoder, correlator } = decodeAndCorrelate({}, accounting)
const propagator = createPropagator({ meter: accounting.meter('/', 'propagate') })
const aggregator = createAggregator({ meter: accounting.meter('/', 'aggregate'), resourceOf })
correlator.process(decoder.decode(rawBatch([], { processes })))

let timeNs = raw.timeNs
const tick = (): number => (timeNs += 20e6)
const exchanges: ExchangeBatch = decoder.decode(raw)
const [spans] = correlator.process(exchanges) as [SpanBatch]

const bench = new Bench({ time: 1500, warmupTime: 500 })
bench
	.add('decode', () => void decoder.decode(raw))
	.add('correlate', () => void correlator.process(exchanges))
	.add('propagate', () => void propagator.process({ ...spans, timeNs: tick() }))
	.add('aggregate', () => void aggregator.process(spans))
	.add('decode → aggregate', () => {
		for (const batch of correlator.process(decoder.decode({ ...raw, timeNs: tick() })))
			for (const out of propagator.process(batch)) aggregator.process(out)
	})
await bench.run()

for (const task of bench.tasks) {
	const { result } = task
	if (result.state !== 'completed') throw new Error(`${task.name}: ${result.state}`)
	const nanoseconds = (result.latency.mean * 1e6) / BATCH
	console.log(`${task.name.padEnd(20)} ${nanoseconds.toFixed(0).padStart(6)} ns per span`)
}
