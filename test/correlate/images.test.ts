import { expect, it } from 'vitest'
import { createProcessTable } from '../../src/correlate/process-table.ts'
import type { ProcessFact } from '../../src/model/process-fact.ts'
import { decodeAndCorrelate, resourceOf } from '../protocols/support/pipeline.ts'
import { type HttpRecord, httpRecord, processFact, rawBatch } from '../protocols/support/records.ts'

/** Of the process, as records and facts of the support code have it; and a moment just before its batches. */
const START = 5_000_000_000
const SINCE = 199_000_000_000
const image = (serviceName: string, imageNs: number, more: Partial<ProcessFact> = {}): ProcessFact =>
	processFact({ serviceName, imageNs, ...more })

function names(batches: readonly { facts: ProcessFact[]; records: HttpRecord[] }[]): string[] {
	const { decoder, correlator } = decodeAndCorrelate()
	return batches.flatMap(({ facts, records }) =>
		correlator
			.process(decoder.decode(rawBatch(records.map(httpRecord), { processes: facts })))
			.flatMap(({ spans }) => spans.map((span) => span.resource.serviceName)),
	)
}

const request = (startNs: number): HttpRecord => ({ startNs, endNs: startNs + 1e6 })

it('a request from before an exec keeps the name of the program that made it', () => {
	const before = image('fetch-secrets', SINCE + 1e6)
	const after = image('shop', SINCE + 50e6)
	const records = [request(SINCE + 20e6), request(SINCE + 60e6)]
	expect(names([{ facts: [before, after], records }])).toEqual(['fetch-secrets', 'shop'])
	expect(
		names([
			{ facts: [before], records: [] },
			{ facts: [after], records },
		]),
	).toEqual(['fetch-secrets', 'shop'])
})

it('a program that execs itself for ever leaves a bounded number of images', () => {
	const table = createProcessTable(resourceOf)
	for (let i = 1; i <= 100_000; i++) table.learn([image(`name-${i}`, START + i * 1000)])
	let depth = 0
	for (let entry = table.find(100, START); entry !== undefined; entry = entry.older) depth++
	expect(depth).toBeLessThan(12)
	expect(table.find(100, START)?.fact.serviceName).toBe('name-100000')
	expect(table.find(100, START, START + 99_999_500)?.fact.serviceName).toBe('name-99999')
})

it('forgets all images of a process that is gone', () => {
	const table = createProcessTable(resourceOf)
	table.learn([image('a', START + 1)])
	table.learn([image('b', START + 2)])
	table.learn([image('b', START + 2, { exitNs: START + 3 })])
	table.sweep(START + 120e9)
	expect(table.size).toBe(0)
})
