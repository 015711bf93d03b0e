import { chmodSync, chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LAYOUT_HASH } from '../../src/capture/layout.ts'
import { createRecordingWriter } from '../../src/capture/recording-writer.ts'
import { createPipelineRuntime } from '../../src/cli/pipeline-runtime.ts'
import { hostToRecord, readHost } from '../../src/process/index.ts'
import { modeOf, type SentRequest, startRecord, startScene } from '../helpers/recording.ts'
import { type Judge, type JudgeSpan, startJudge } from './support/judge.ts'
import { selecting, stages } from './support/pipelines.ts'
import { run } from './support/process.ts'
import { eventually, mainJs, startVor } from './support/vor.ts'

let folder: string
let scene: Awaited<ReturnType<typeof startScene>>
let live: Judge
let replayed: Judge

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'vor-replay-test-'))
	chmodSync(folder, 0o777)
	scene = await startScene()
	live = await startJudge()
	replayed = await startJudge()
}, 900_000)
afterAll(async () => {
	await scene?.stop()
	await live?.stop()
	await replayed?.stop()
	rmSync(folder, { recursive: true, force: true })
})

/** The test's pipeline with a second exporter that writes all it gets into `file`. */
function pipelineTo(judge: Judge, file: string): string {
	const debug = 'otelcol.exporter.debug.file.input'
	const base = stages({
		endpoint: judge.endpoint,
		ringbuf: selecting({ ports: scene.ports }),
		correlate:
			'routes {\n\t\tpatterns = ["/status/:code/:rest", "/size/:n/:rest"]\n\t\tunmatched = "heuristic"\n\t}',
		propagate: 'debug_attributes = true',
	})
	return `${base.replaceAll('otelcol.exporter.otlp.judge.input]', `otelcol.exporter.otlp.judge.input, ${debug}]`)}
otelcol.exporter.debug "file" {
	verbosity           = "detailed"
	use_internal_logger = false
	output_paths        = ["${file}"]
}
`
}

/** `vor replay` as nobody, without any capability. */
function replayAsNobody(recording: string, pipeline: string) {
	const who = ['--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all']
	return run('setpriv', [...who, process.execPath, mainJs, 'replay', recording, pipeline])
}

function forNobody(path: string, text?: string): string {
	if (text !== undefined) writeFileSync(path, text)
	chownSync(path, 65_534, 65_534)
	return path
}

/** A recording of what a pipeline in this process saw, and what that pipeline gave. */
async function recordOwnPipeline(name: string, text: string, traffic: () => Promise<unknown>) {
	const path = join(folder, `${name}.vorrec`)
	const host = readHost()
	const surface = 'tp_btf'
	const writer = createRecordingWriter(path, {
		layoutHash: LAYOUT_HASH,
		vorVersion: '',
		surface,
		host: hostToRecord(host),
	})
	let log = ''
	const sink = new Writable({
		write(chunk, _, done) {
			log += String(chunk)
			done()
		},
	})
	const { graph } = createPipelineRuntime({
		io: { stdout: sink, stderr: sink, env: {}, isTty: false },
		host,
		storagePath: folder,
		stability: 'experimental',
		logLevel: 'info',
		tap: (batch) => void writer.write(batch),
	})
	const result = await graph.load({ path: 'live.alloy', files: [{ name: 'live.alloy', text }] })
	if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
	try {
		await traffic()
		await new Promise((resolve) => setTimeout(resolve, 1500))
	} finally {
		await graph.stop(20_000)
		await writer.close()
	}
	return { path, log }
}

/** Spans without what every capture makes anew (ids, times), each with the same of its parent and the parents above. */
function shapes(spans: readonly JudgeSpan[]): string[] {
	const byId = new Map(spans.map((span) => [span.spanId, span]))
	const one = (span: JudgeSpan): string => {
		// Ephemeral ports and pids are the same for two captures of one exchange; times are not.
		// A parent that neither exports (the curl that nobody selected) is none.
		const above = byId.get(span.parentSpanId)
		const parent = above === undefined ? '' : one(above)
		const { 'vor.queue.duration': _, ...attributes } = span.attributes
		return JSON.stringify([
			span.service,
			span.kind,
			span.name,
			span.status,
			sorted(attributes),
			sorted(span.resource),
			parent,
		])
	}
	return spans.map(one).sort()
}

const sorted = (values: Readonly<Record<string, unknown>>) =>
	Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))
const whole = (spans: readonly JudgeSpan[]) =>
	spans
		.map((span) => JSON.stringify(span, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
		.sort()

/** Newest count of every RED series. */
function red(judge: Judge, since: number): string[] {
	const counts = new Map<string, bigint>()
	for (const metric of judge.collector.metrics().slice(since))
		for (const point of metric.points)
			counts.set(
				JSON.stringify(
					[metric.service, metric.name, metric.resource['service.instance.id'], sorted(point.attributes)],
					(_, value) => (typeof value === 'bigint' ? String(value) : value),
				),
				point.count,
			)
	return [...counts].map(([name, count]) => `${name} ${count}`).sort()
}

/** Server spans there must be: one for each request, and those of the two hops behind nginx. */
const expectedServers = (sent: readonly SentRequest[]) =>
	sent.length + 2 * sent.filter((each) => each.chain).length

describe('a replay', () => {
	it('gives byte for byte what the pipeline gave while it was recorded, to nobody without privilege, twice', async () => {
		const liveFile = join(folder, 'live.txt')
		let sent: SentRequest[] = []
		const { path, log } = await recordOwnPipeline('own', pipelineTo(live, liveFile), async () => {
			sent = await scene.play()
		})
		forNobody(path)
		const outputs: string[] = []
		for (const name of ['first', 'second']) {
			const out = forNobody(join(folder, `${name}.txt`), '')
			const pipeline = forNobody(join(folder, `${name}.alloy`), pipelineTo(replayed, out))
			const result = await replayAsNobody(path, pipeline)
			expect(result.code, result.stderr).toBe(0)
			expect(result.stderr).not.toMatch(/level=(warn|error)/)
			outputs.push(readFileSync(out, 'utf8'))
		}
		const [first, second] = outputs
		expect(first!.length).toBeGreaterThan(10_000)
		expect(first === second, 'two replays differ').toBe(true)
		const text = readFileSync(liveFile, 'utf8')
		expect(difference(text, first!), log).toBe('')
		// And so it was on the wire: the collector got every span of the two replays, with the ids of the live one.
		const spans = await eventually(
			() => {
				const got = live.traces()
				return replayed.traces().length >= 2 * got.length ? got : undefined
			},
			() => `${replayed.traces().length} replayed of 2 x ${live.traces().length} spans`,
			60_000,
		)
		expect(spans.filter((span) => span.kind === 'server').length).toBe(expectedServers(sent))
		expect(unlike(whole(replayed.traces()), whole([...spans, ...spans]))).toEqual([])
		await eventually(
			() => (unlike(red(replayed, 0), red(live, 0)).length === 0 ? true : undefined),
			() => unlike(red(replayed, 0), red(live, 0)).join('\n'),
		)
	}, 180_000)

	it('of vor record shows what a vor run beside it showed, span for span', async () => {
		const path = join(folder, 'beside.vorrec')
		const [liveBefore, replayedBefore] = [live.traces().length, replayed.traces().length]
		const [liveMetrics, replayedMetrics] = [
			live.collector.metrics().length,
			replayed.collector.metrics().length,
		]
		const both = (judge: Judge) =>
			stages({ endpoint: judge.endpoint, ringbuf: selecting({ ports: scene.ports }) })
		const recorder = await startRecord(path)
		const vor = await startVor(both(live))
		const sent = await scene.play()
		await new Promise((resolve) => setTimeout(resolve, 2000))
		expect(await vor.stop()).toBe(0)
		expect(await recorder.stop('SIGINT')).toBe(0)
		expect(modeOf(path)).toBe(0o600)
		expect(recorder.stderr()).toContain('unredacted')

		forNobody(path)
		const result = await replayAsNobody(path, forNobody(join(folder, 'beside.alloy'), both(replayed)))
		expect(result.code, result.stderr).toBe(0)
		const got = live.traces().slice(liveBefore)
		const again = await eventually(
			() => {
				const spans = replayed.traces().slice(replayedBefore)
				return spans.length >= got.length ? spans : undefined
			},
			() => `${replayed.traces().length - replayedBefore} replayed of ${got.length} spans\n${result.stderr}`,
			60_000,
		)
		expect(got.filter((span) => span.kind === 'server').length).toBe(expectedServers(sent))
		expect(unlike(shapes(again), shapes(got))).toEqual([])
		await eventually(
			() => (unlike(red(replayed, replayedMetrics), red(live, liveMetrics)).length === 0 ? true : undefined),
			() => unlike(red(replayed, replayedMetrics), red(live, liveMetrics)).join('\n'),
		)
		// One trace there is one trace here, and the traces that were named from outside have that name in both.
		const inbound = sent.find((each) => each.traceId !== '')!
		for (const spans of [got, again])
			expect(spans.filter((span) => span.traceId === inbound.traceId)).toHaveLength(5)
	}, 180_000)

	it('of a file that nobody may read says so', async () => {
		const path = join(folder, 'private.vorrec')
		const recorder = await startRecord(path)
		await recorder.stop('SIGINT')
		const result = await replayAsNobody(path, forNobody(join(folder, 'private.alloy'), stages({})))
		expect(result.code).toBe(1)
		expect(result.stderr).toMatch(/error: the recording cannot be read: EACCES.*private\.vorrec/)
	}, 60_000)

	it('of a file that is cut, damaged, foreign or of another layout names the fault and gives what is readable', async () => {
		const source = join(folder, 'own.vorrec')
		const replayTo = async (name: string, change: (bytes: Buffer) => Buffer) => {
			const path = join(folder, `${name}.vorrec`)
			copyFileSync(source, path)
			writeFileSync(path, change(readFileSync(source)))
			const out = join(folder, `${name}.txt`)
			const pipeline = join(folder, `${name}.alloy`)
			writeFileSync(out, '')
			writeFileSync(pipeline, pipelineTo(replayed, out))
			const result = await run(process.execPath, [mainJs, 'replay', path, pipeline])
			return { ...result, spans: readFileSync(out, 'utf8').split('\nSpan #').length - 1 }
		}
		const whole = await replayTo('whole', (bytes) => bytes)
		expect(whole.code).toBe(0)
		expect(whole.spans).toBeGreaterThan(50)

		const noEnd = await replayTo('no-end', (bytes) => bytes.subarray(0, bytes.length - 1))
		expect(noEnd.code).toBe(0)
		expect(noEnd.stderr).toMatch(/the recording is not whole.*ending=cut/)
		expect(noEnd.spans).toBe(whole.spans)

		// The last frame with records, in the middle of the traffic, loses one byte of its own: nothing else is lost.
		const damaged = await replayTo('damaged', (bytes) => {
			const at = largestFrame(bytes)
			bytes[at + 40] = bytes[at + 40]! ^ 1
			return bytes
		})
		expect(damaged.code).toBe(1)
		expect(damaged.stderr).toMatch(
			/error: .*damaged\.vorrec: the frame at byte \d+ does not match its checksum/,
		)
		expect(damaged.spans).toBeGreaterThan(0)

		const foreign = await replayTo('foreign', () => Buffer.from('#!/bin/sh\necho not a recording\n'))
		expect(foreign.code).toBe(1)
		expect(foreign.stderr).toMatch(/error: .*foreign\.vorrec: it is not a recording of Vör/)

		const empty = await replayTo('empty', () => Buffer.alloc(0))
		expect(empty.code).toBe(1)
		expect(empty.stderr).toMatch(/error: .*empty\.vorrec: /)

		const path = join(folder, 'layout.vorrec')
		const header = { layoutHash: '0123456789abcdef', vorVersion: '0.0.1', surface: 'tp_btf', host: {} }
		await createRecordingWriter(path, header).close()
		const layout = await run(process.execPath, [mainJs, 'replay', path, join(folder, 'whole.alloy')])
		expect(layout.code).toBe(1)
		expect(layout.stderr).toContain(
			`its records have layout 0123456789abcdef (Vör 0.0.1), this Vör reads ${LAYOUT_HASH}`,
		)
		expect(layout.stderr).toContain('fix: replay it with the version that recorded it')
	}, 180_000)
})

/** The first few lines that stand in one list only. */
function unlike(a: readonly string[], b: readonly string[]): string[] {
	const count = new Map<string, number>()
	for (const line of a) count.set(line, (count.get(line) ?? 0) + 1)
	for (const line of b) count.set(line, (count.get(line) ?? 0) - 1)
	return [...count]
		.flatMap(([line, more]) => (more === 0 ? [] : [`${more > 0 ? '+' : ''}${more} ${line}`]))
		.slice(0, 6)
}

/** Where the largest frame but the first three begins: header and the first facts stay whole. */
function largestFrame(bytes: Buffer): number {
	let best = 0
	let size = 0
	let index = 0
	for (let at = 8; at + 8 <= bytes.length; at += 8 + bytes.readUInt32LE(at), index++) {
		const length = bytes.readUInt32LE(at)
		if (index > 3 && length > size) [best, size] = [at, length]
	}
	return best
}

/** '' when equal, else the first lines that are not. */
function difference(a: string, b: string): string {
	if (a === b) return ''
	const [left, right] = [a.split('\n'), b.split('\n')]
	const at = left.findIndex((line, i) => line !== right[i])
	return `line ${at + 1} of ${left.length} and ${right.length}:\n${left.slice(at - 3, at + 5).join('\n')}\n---\n${right.slice(at - 3, at + 5).join('\n')}`
}
