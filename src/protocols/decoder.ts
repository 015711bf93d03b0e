import type { ExchangeBatch, RawBatch } from '../model/batch.ts'
import type { Exchange, UnreadableConnection } from '../model/exchange.ts'
import { EXCHANGE_ID_BYTES } from '../model/record.ts'
import type { StageMeter } from '../telemetry/accounting.ts'
import { offsetsOf, type RecordLayout } from './common/layout.ts'
import { type RecordParser, viewOf } from './common/record-view.ts'

export interface DecoderOptions {
	readonly layout: RecordLayout
	readonly parsers: readonly RecordParser[]
	readonly meter: StageMeter
}

export interface Decoder {
	/** Synchronous; keeps nothing of `batch.bytes`. */
	decode(batch: RawBatch): ExchangeBatch
}

/**
 * Raw records to exchanges. received = records; sent = exchanges and unreadable connections; the rest is dropped with a
 * reason. Whatever follows a record whose size makes no sense is one drop per record the batch said it has.
 */
export function createDecoder({ layout, parsers, meter }: DecoderOptions): Decoder {
	const header = offsetsOf(layout, 'vor_record_header')
	const [kindAt, sizeAt] = [header('kind'), header('size')]
	const byKind: (RecordParser | undefined)[] = []
	for (const parser of parsers) byKind[parser.kind] = parser
	return {
		decode(batch) {
			const exchanges: Exchange[] = []
			const unreadable: UnreadableConnection[] = []
			const ids = new Uint8Array(batch.records * EXCHANGE_ID_BYTES)
			const view = viewOf(batch.bytes, batch.length, ids)
			const { bytes } = view
			let at = 0
			let seen = 0
			while (seen < batch.records && at + header.size <= bytes.length) {
				const size = bytes[at + sizeAt]! | (bytes[at + sizeAt + 1]! << 8)
				if (size < header.size || (size & 7) !== 0 || at + size > bytes.length) break
				seen++
				const parser = byKind[bytes[at + kindAt]! | (bytes[at + kindAt + 1]! << 8)]
				if (parser === undefined) meter.dropped(1, 'unknown_kind')
				else {
					const result = parser.parse(view, at, size, exchanges.length * EXCHANGE_ID_BYTES)
					if ('malformed' in result) meter.dropped(1, `malformed_${result.malformed}`)
					else if (parser.gives === 'exchange') exchanges.push(result as Exchange)
					else unreadable.push(result as UnreadableConnection)
				}
				at += size
			}
			if (seen < batch.records) meter.dropped(batch.records - seen, 'malformed_framing')
			meter.received(batch.records)
			meter.sent(exchanges.length + unreadable.length)
			meter.produced(exchanges.length, 'exchange')
			return {
				timeNs: batch.timeNs,
				clockOffset: batch.clockOffset,
				processes: batch.processes,
				fallback: batch.fallback,
				unreadable,
				exchanges,
			}
		},
	}
}
