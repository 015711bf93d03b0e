/**
 * CPU of user space for one span, from the ring to OTLP bytes, by stage; then of the whole running `vor run`. The records
 * are those of a live capture of nginx and a load maker. CPU time of this process, not wall time: the machine's other work
 * does not count, though it still costs cache. `npm run bench -- userspace`
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { createEngines } from '../../src/bench/engines.ts'
import { median, quantile } from '../../src/bench/statistics.ts'
import { cpuNsOf } from '../../src/bench/vor-process.ts'
import { createCapture } from '../../src/capture/index.ts'
import { TraceWriter } from '../../src/export/otlp-trace-writer.ts'
import type { RawBatch, SpanBatch } from '../../src/model/batch.ts'
import { createResourceBuilder, readHost } from '../../src/process/index.ts'
import { compileSelection, type SelectionSource } from '../../src/process/selection.ts'
import { createProcessTable } from '../../src/process/table.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { stages } from '../e2e/support/pipelines.ts'
import { startProgram } from '../e2e/support/process.ts'
import { type Server, startNginx } from '../e2e/support/programs.ts'
import { startVor } from '../e2e/support/vor.ts'
import { startCollector } from '../helpers/collector.ts'
import './support/children.ts'
import { discoveryOf, onlyServer, ownLoadMaker } from './support/load.ts'
import { machine, verdict } from './support/statistics.ts'

const RATE = 10_000
const PATHS = ['/', '/api/items/42?view=full', '/orders/7f3c/lines/2', '/static/app.js']
const LIVE_SECONDS = 6
/** What the stages are measured over; each round takes all of it. */
const KEPT_RECORDS = 60_000
const ROUNDS = 25
const RUNNING_SECONDS = 12
const loadMaker = await ownLoadMaker()

/** µs of this process, all threads: the collector's threads work for us. */
const cpu = (): number => {
	const { user, system } = process.cpuUsage()
	return user + system
}

/** RATE requests a second over several paths; resolves to the number answered. */
async function load(server: Server, seconds: number): Promise<number> {
	const rate = String(RATE / PATHS.length)
	const makers = PATHS.map((path) =>
		startProgram(loadMaker, [String(server.port), '16', rate, String(seconds), path]),
	)
	let completed = 0
	for (const each of makers) {
		await each.exited
		const match = each.stdout().match(/completed (\d+) errors 0/)
		if (match === null) throw new Error(`load failed: ${each.stdout()}${each.stderr()}`)
		completed += Number(match[1])
	}
	return completed
}

/** Live batches, copied, and what the drain itself cost for a record beyond what it takes at rest. */
async function record(server: Server): Promise<{ batches: RawBatch[]; drain: number }> {
	const both: SelectionSource = { instrument: [onlyServer(server), { exePath: loadMaker }] }
	const capture = createCapture({
		meter: createAccounting().meter('/', 'capture'),
		processes: createProcessTable({ rules: compileSelection(both).rules }),
	})
	const batches: RawBatch[] = []
	let records = 0
	let kept = 0
	capture.batches.subscribe((batch) => {
		records += batch.records
		if (kept >= KEPT_RECORDS) return
		kept += batch.records
		batches.push({ ...batch, bytes: batch.bytes.slice(0, batch.length) })
	})
	await capture.start()
	await load(server, Math.ceil(KEPT_RECORDS / RATE / 2) + 1)
	await sleep(200)
	// Timers, and the processes that come and go on this machine: there without any request, too.
	const quiet = cpu()
	await sleep(2000)
	const rest = (cpu() - quiet) / 2
	const before = { cpu: cpu(), records, time: performance.now() }
	const requests = await load(server, LIVE_SECONDS)
	await sleep(100)
	const seconds = (performance.now() - before.time) / 1000
	const drain = (cpu() - before.cpu - rest * seconds) / (records - before.records)
	console.log(`at rest the drain takes ${(rest / 1e4).toFixed(2)} % of a CPU`)
	const { statistics } = capture
	console.log(
		`live: ${requests} requests, ${records - before.records} records, ${(statistics.records / statistics.drains).toFixed(0)} records a drain, ${(statistics.bytes / statistics.records).toFixed(0)} bytes a record`,
	)
	await capture.stop()
	return { batches, drain }
}

function measureStages(batches: readonly RawBatch[], drain: number): void {
	const accounting = createAccounting()
	const { decoder, correlator, propagator, aggregator } = createEngines(
		accounting,
		createResourceBuilder(readHost()),
	)
	const options = { scopeName: 'vor', scopeVersion: '0.1.0', maxBytes: 4_128_768, maxItems: 3000 }
	const writer = new TraceWriter(options)
	const forgetful = new TraceWriter(options)
	let encodedBytes = 0
	const emit = (request: { readonly bytes: Uint8Array }): void => {
		encodedBytes += request.bytes.length
	}
	const totals: Record<string, number> = {}
	let last = 0
	const stage = (name: string): void => {
		const now = cpu()
		totals[name] = (totals[name] ?? 0) + now - last
		last = now
	}
	const length = (batches.at(-1)?.timeNs ?? 0) - (batches[0]?.timeNs ?? 0) + 1e9
	let spans = 0
	const pass = (round: number): void => {
		for (const batch of batches) {
			last = cpu()
			// Time goes on from round to round: nothing may look like an old record again.
			const exchanges = decoder.decode({ ...batch, timeNs: batch.timeNs + round * length })
			stage('decode')
			const described = correlator.process(exchanges)
			stage('correlate')
			const finished: SpanBatch[] = []
			for (const each of described) finished.push(...propagator.process(each))
			stage('propagate')
			for (const each of finished) aggregator.process(each)
			stage('aggregate')
			for (const each of finished) {
				spans += each.spans.length
				writer.add(each.spans, each.clockOffset, emit)
			}
			stage('encode')
			for (const each of finished) {
				for (const span of each.spans) span.resource.encoded = undefined
				forgetful.add(each.spans, each.clockOffset, emit)
				emit(forgetful.take())
			}
			stage('encode, a request a batch and no cached resource')
		}
	}
	for (let round = 0; round < 5; round++) pass(round)
	const perSpan: Record<string, number[]> = {}
	for (let round = 0; round < ROUNDS; round++) {
		for (const name of Object.keys(totals)) totals[name] = 0
		spans = 0
		pass(round + 5)
		for (const [name, total] of Object.entries(totals)) (perSpan[name] ??= []).push(total / spans)
	}
	const line = (name: string, values: readonly number[]) =>
		console.log(
			`  ${name.padEnd(50)} ${median(values).toFixed(2).padStart(6)} µs a span (p10 ${quantile(values, 0.1).toFixed(2)})`,
		)
	console.log(
		`stages: ${spans} spans a round, ${ROUNDS} rounds, ${(encodedBytes / spans / (ROUNDS + 5) / 2).toFixed(0)} bytes of OTLP a span`,
	)
	console.log(`  ${'drain (live)'.padEnd(50)} ${drain.toFixed(2).padStart(6)} µs a record`)
	const counted = ['decode', 'correlate', 'propagate', 'aggregate', 'encode']
	for (const [name, values] of Object.entries(perSpan)) if (counted.includes(name)) line(name, values)
	const sums = (perSpan['decode'] ?? []).map((_, i) =>
		counted.reduce((total, name) => total + (perSpan[name]?.[i] ?? 0), drain),
	)
	line('drain to OTLP bytes', sums)
	line(
		'beside it: encode without cached resources',
		perSpan['encode, a request a batch and no cached resource'] ?? [],
	)
	console.log(`  ${verdict(median(sums), 6, 8)}`)
}

/** CPU of a process with all its threads, µs. Ticks of 10 ms: enough over many seconds. */
const cpuOf = (pid: number): number => cpuNsOf(pid) / 1000

async function measureRunning(server: Server, endpoint: string | undefined, title: string): Promise<void> {
	const vor = await startVor(
		stages({
			...(endpoint === undefined ? {} : { endpoint }),
			interval: '15s',
			ringbuf: discoveryOf(server, loadMaker),
		}),
	)
	const spans = () => vor.metric('vor_component_received_total', { component_id: 'ebpf.aggregate.t' })
	await load(server, 4)
	await sleep(500)
	const idle = cpuOf(vor.pid)
	await sleep(3000)
	const before = { cpu: cpuOf(vor.pid), spans: await spans() }
	await load(server, RUNNING_SECONDS)
	await sleep(500)
	const used = cpuOf(vor.pid) - before.cpu
	const made = (await spans()) - before.spans
	const rest = (before.cpu - idle) / 3
	const marginal = (used - rest * (RUNNING_SECONDS + 0.5)) / made
	console.log(
		`  ${title}: ${(used / made).toFixed(2)} µs a span over ${made} spans, ${marginal.toFixed(2)} beyond what it takes at rest (${(used / 1e4 / RUNNING_SECONDS).toFixed(0)} % of a CPU at ${RATE} requests/s, both sides traced; ${(rest / 1e4).toFixed(1)} % at rest)`,
	)
	await vor.stop()
}

console.log(machine())
const server = await startNginx('server { listen 127.0.0.1:PORT; location / { return 200 yes; } }')
try {
	const { batches, drain } = await record(server)
	measureStages(batches, drain)
	console.log('the running process, all of its threads:')
	const collector = await startCollector()
	await measureRunning(server, undefined, 'without an exporter')
	await measureRunning(server, collector.endpoint, 'with OTLP over gRPC, gzip')
	await collector.stop()
} finally {
	await server.stop()
}
