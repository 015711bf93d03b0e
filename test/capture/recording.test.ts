import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lastValueFrom, toArray } from 'rxjs'
import { afterAll, expect, test } from 'vitest'
import { LAYOUT_HASH } from '../../src/capture/layout.ts'
import { openRecording } from '../../src/capture/recording-reader.ts'
import { createRecordingWriter } from '../../src/capture/recording-writer.ts'
import { createReplay, readRecordingHeader } from '../../src/capture/replay.ts'
import type { RawBatch } from '../../src/model/batch.ts'
import type { FallbackCount } from '../../src/model/exchange.ts'
import type { ProcessFact } from '../../src/model/process-fact.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-recording-'))
afterAll(() => rmSync(folder, { recursive: true }))

const header = { layoutHash: LAYOUT_HASH, vorVersion: '0.1.0', surface: 'tp_btf', host: { 'host.name': 'h' } }

const fact: ProcessFact = {
	pid: 4_194_303,
	startNs: 9_007_199_254_740_991,
	parentPid: 1,
	comm: 'näme',
	executable: '/usr/bin/x',
	commandLine: ['x', '', 'y'],
	language: 'rust',
	serviceName: 'shop',
	serviceNameSource: 'executable',
	serviceNamespace: '',
	serviceVersion: '',
	resourceAttributes: { a: 'b' },
	containerId: '',
	ownerUid: 1000,
	listenPorts: [80, 443],
	selection: 'selected',
	selectionReason: 'r',
	exportsOtlp: 'both',
	exitNs: 0,
	imageNs: 7e9,
}

const fallback: FallbackCount = {
	pid: 7,
	processStartNs: 123_456_789_012,
	role: 'server',
	methodName: 'GET',
	status: 200,
	port: 80,
	peerReset: true,
	http10: false,
	count: 5,
	durationSumNs: 1e12,
	requestBodySum: 0,
	responseBodySum: 42,
	duration: [1, 2, 3],
	requestBody: [5],
	responseBody: [],
}

/** The buffer is one for all batches, as the capture's is. */
const shared = new Uint8Array(1024)

function batch(index: number): RawBatch {
	shared.fill(index)
	return {
		bytes: shared,
		length: 8 * index,
		records: index,
		timeNs: 1_000_000_000_000 + index,
		clockOffset: { seconds: 1_700_000_000, nanos: 999_999_999 },
		processes: index % 2 === 0 ? [fact] : [],
		fallback: index % 3 === 0 ? [fallback] : [],
	}
}

async function write(name: string, count: number): Promise<string> {
	const path = join(folder, name)
	const writer = createRecordingWriter(path, header)
	for (let i = 0; i < count; i++) expect(writer.write(batch(i))).toBe(true)
	await writer.close()
	expect(writer).toMatchObject({ batches: count, lostBatches: 0, bytes: statSync(path).size })
	return path
}

test('what was recorded is replayed, though every batch lay in the same buffer', async () => {
	const path = await write('whole', 20)
	expect(statSync(path).mode & 0o777).toBe(0o600)
	expect(readRecordingHeader(path)).toEqual(header)
	let how: unknown
	const batches = await lastValueFrom(createReplay(path, (ended) => (how = ended)).pipe(toArray()))
	expect(how).toEqual({ ending: 'whole', lostBatches: 0 })
	expect(batches).toHaveLength(20)
	for (let i = 0; i < 20; i++) {
		const { bytes, ...rest } = batches[i] as RawBatch
		const { bytes: _, ...expected } = batch(i)
		expect(rest).toEqual(expected)
		expect(Buffer.from(bytes)).toEqual(Buffer.alloc(8 * i, i))
	}
})

test('two replays of one file give the same', async () => {
	const path = await write('twice', 5)
	const replay = createReplay(path)
	const [a, b] = await Promise.all([
		lastValueFrom(replay.pipe(toArray())),
		lastValueFrom(replay.pipe(toArray())),
	])
	expect(a).toEqual(b)
})

test('a file cut at any byte gives every batch before the cut and says that it was cut', async () => {
	const path = await write('cut', 4)
	const whole = readFileSync(path)
	let most = 0
	for (let length = whole.length - 1; length > 8; length--) {
		truncateSync(path, length)
		let reader: ReturnType<typeof openRecording>
		try {
			reader = openRecording(path, LAYOUT_HASH)
		} catch (reason) {
			expect(reason).toMatchObject({ code: 'E_RECORDING', message: expect.stringContaining('no header') })
			continue
		}
		let batches = 0
		while (reader.next() !== undefined) batches++
		reader.close()
		expect(reader.ending).toBe('cut')
		expect(batches).toBeLessThanOrEqual(4)
		most = Math.max(most, batches)
	}
	expect(most).toBe(4)
})

test('a changed byte is noticed, with its place', async () => {
	const path = await write('damaged', 4)
	const bytes = readFileSync(path)
	const at = bytes.length - 40
	bytes[at] = (bytes[at] as number) ^ 1
	writeFileSync(path, bytes)
	await expect(lastValueFrom(createReplay(path).pipe(toArray()))).rejects.toMatchObject({
		code: 'E_RECORDING',
		message: expect.stringMatching(/frame at byte \d+ does not match its checksum/),
	})
})

test('what is no recording, is absent, or is of another layout is refused with the reason', async () => {
	const path = await write('other', 1)
	const error = (run: () => unknown) => {
		try {
			run()
		} catch (reason) {
			return reason
		}
		return undefined
	}
	expect(error(() => openRecording(path, 'feedbeef'))).toMatchObject({
		code: 'E_RECORDING',
		message: expect.stringContaining('feedbeef'),
	})
	expect(error(() => openRecording(join(folder, 'absent'), LAYOUT_HASH))).toMatchObject({ code: 'E_FILE' })
	const text = join(folder, 'text')
	writeFileSync(text, 'logging { }\n')
	expect(error(() => openRecording(text, LAYOUT_HASH))).toMatchObject({
		code: 'E_RECORDING',
		message: expect.stringContaining('not a recording'),
	})
	expect(error(() => createRecordingWriter(join(folder, 'no', 'folder'), header))).toMatchObject({
		code: 'E_FILE',
	})
})

test('an older file that others could read cannot be read by them any more', async () => {
	const path = join(folder, 'open')
	writeFileSync(path, 'x', { mode: 0o644 })
	const writer = createRecordingWriter(path, header)
	await writer.close()
	expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a disk that does not follow costs batches, which are counted in the file', async () => {
	const path = join(folder, 'slow')
	const writer = createRecordingWriter(path, header, 4096)
	const big: RawBatch = { ...batch(1), bytes: new Uint8Array(8192), length: 8192 }
	// All in one turn: nothing reaches the disk between the writes.
	const kept = Array.from({ length: 10 }, () => writer.write(big)).filter(Boolean).length
	expect(kept).toBeGreaterThan(0)
	expect(kept).toBeLessThan(10)
	await writer.close()
	const reader = openRecording(path, LAYOUT_HASH)
	let read = 0
	while (reader.next() !== undefined) read++
	reader.close()
	expect(read).toBe(kept)
	expect(reader.lostBatches).toBe(10 - kept)
})
