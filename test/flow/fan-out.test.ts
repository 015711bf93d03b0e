import { describe, expect, it } from 'vitest'
import { fanOut, fanOutSpans } from '../../src/flow/fan-out.ts'
import type { SpanBatch } from '../../src/model/batch.ts'
import { decodeAndCorrelate } from '../protocols/support/pipeline.ts'
import { httpRecord, processFact, rawBatch } from '../protocols/support/records.ts'

function spanBatch(): SpanBatch {
	const { decoder, correlator } = decodeAndCorrelate()
	return correlator.process(decoder.decode(rawBatch([httpRecord()], { processes: [processFact()] })))[0]!
}

const observer = <Batch>(next: (batch: Batch) => void) => ({ next, error() {}, complete() {} })

describe('fan-out', () => {
	it('gives readers the same batch and those that change spans one of their own', () => {
		const batch = spanBatch()
		const seen: SpanBatch[] = []
		const changing = observer<SpanBatch>((own) => {
			own.spans[0]!.ids = new Uint8Array(32)
			own.spans[0]!.remoteParent = true
			seen.push(own)
		})
		const reading = observer<SpanBatch>((shared) => void seen.push(shared))
		fanOutSpans([
			{ mutates: true, spans: changing },
			{ mutates: false, spans: reading },
			{ mutates: false, spans: undefined },
		]).next(batch)
		expect(seen[0]).not.toBe(batch)
		expect(seen[1]).toBe(batch)
		expect(batch.spans[0]!.remoteParent).toBe(false)
		expect({ ...seen[0]!.spans[0] }).toEqual({
			...batch.spans[0]!,
			ids: new Uint8Array(32),
			remoteParent: true,
		})
	})

	it('copies nothing for a single consumer', () => {
		const batch = spanBatch()
		const seen: SpanBatch[] = []
		fanOutSpans([{ mutates: true, spans: observer((own: SpanBatch) => void seen.push(own)) }]).next(batch)
		expect(seen[0]).toBe(batch)
	})

	it('hands end and error to all', () => {
		const ends: string[] = []
		const end = (name: string) => ({
			next() {},
			error: () => void ends.push(`${name}!`),
			complete: () => void ends.push(name),
		})
		fanOut([end('a'), end('b')]).complete()
		fanOut([end('c'), end('d')]).error(new Error('x'))
		expect(ends).toEqual(['a', 'b', 'c!', 'd!'])
	})
})
