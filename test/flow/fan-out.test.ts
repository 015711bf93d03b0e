import { of, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { fanOut, fanOutSpans } from '../../src/flow/fan-out.ts'
import { createStageTimer, sink, stage } from '../../src/flow/operators.ts'
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

describe('a stage', () => {
	it('runs an engine over a stream and measures it', () => {
		const timer = createStageTimer(
			(() => {
				let now = 0
				return () => (now += 5)
			})(),
		)
		const out: number[] = []
		of(1, 2)
			.pipe(stage((n: number) => [n, n * 10], timer))
			.subscribe((n) => void out.push(n))
		expect(out).toEqual([1, 10, 2, 20])
		expect([timer.busyNs, timer.batches]).toEqual([10, 2])
	})

	it('turns a throw into an error of the stream', () => {
		const errors: unknown[] = []
		of(1)
			.pipe(
				stage((): number[] => {
					throw new Error('bug')
				}),
			)
			.subscribe({ error: (reason: unknown) => void errors.push(reason) })
		throwError(() => new Error('upstream'))
			.pipe(stage((): number[] => []))
			.subscribe({ error: (reason: unknown) => void errors.push(reason) })
		of(1).subscribe(
			sink(
				() => {
					throw new Error('sink')
				},
				(reason) => void errors.push(reason),
			),
		)
		expect(errors.map((reason) => (reason as Error).message)).toEqual(['bug', 'upstream', 'sink'])
	})
})
