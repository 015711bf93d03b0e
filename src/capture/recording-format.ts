import { crc32 } from 'node:zlib'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
	BatchSchema,
	FallbackCountSchema,
	type Frame,
	FrameSchema,
	type Header,
	ProcessFactSchema,
} from '../gen/vor/recording/v1/recording_pb.ts'
import type { RawBatch } from '../model/batch.ts'
import type { FallbackCount } from '../model/exchange.ts'
import type { Language, ProcessFact, Selection, ServiceNameSource } from '../model/process-fact.ts'

/** First bytes of every recording; the digit is the version of the framing. */
export const MAGIC: Uint8Array = Buffer.from('VORREC\x01\n', 'latin1')
export const FORMAT_VERSION = 1
/** Length and CRC before each message. */
export const FRAME_HEAD = 8
/** A drained buffer with thousands of facts is far below; a larger length is a damaged one. */
export const MAX_FRAME = 64 << 20

/** What the reader tells of a recording beside its batches. */
export interface RecordingHeader {
	readonly layoutHash: string
	readonly vorVersion: string
	readonly surface: string
	readonly host: Readonly<Record<string, string>>
}

/** A framed message, ready to be written. */
export function encodeFrame(content: Frame['content']): Buffer {
	const message = toBinary(FrameSchema, create(FrameSchema, { content }))
	const frame = Buffer.allocUnsafe(FRAME_HEAD + message.length)
	frame.writeUInt32LE(message.length, 0)
	frame.writeUInt32LE(crc32(message), 4)
	frame.set(message, FRAME_HEAD)
	return frame
}

export function decodeFrame(message: Uint8Array): Frame {
	return fromBinary(FrameSchema, message)
}

export function toHeader(header: Header): RecordingHeader {
	return {
		layoutHash: header.layoutHash,
		vorVersion: header.vorVersion,
		surface: header.surface,
		host: { ...header.host },
	}
}

/** Copies the records: the batch's own bytes are valid only now. */
export function encodeBatch(batch: RawBatch): Buffer {
	const message = create(BatchSchema, {
		timeNs: batch.timeNs,
		clockOffsetSeconds: batch.clockOffset.seconds,
		clockOffsetNanos: batch.clockOffset.nanos,
		records: batch.bytes.subarray(0, batch.length),
		recordCount: batch.records,
		processes: batch.processes.map((fact) =>
			create(ProcessFactSchema, {
				...fact,
				commandLine: [...fact.commandLine],
				resourceAttributes: { ...fact.resourceAttributes },
				listenPorts: [...fact.listenPorts],
			}),
		),
		fallback: batch.fallback.map((count) =>
			create(FallbackCountSchema, {
				...count,
				duration: [...count.duration],
				requestBody: [...count.requestBody],
				responseBody: [...count.responseBody],
			}),
		),
	})
	return encodeFrame({ case: 'batch', value: message })
}

export function toBatch(message: Extract<Frame['content'], { case: 'batch' }>['value']): RawBatch {
	return {
		bytes: message.records,
		length: message.records.length,
		records: message.recordCount,
		timeNs: message.timeNs,
		clockOffset: { seconds: message.clockOffsetSeconds, nanos: message.clockOffsetNanos },
		processes: message.processes.map((fact): ProcessFact => {
			const { $typeName: _, ...fields } = fact
			return {
				...fields,
				language: fact.language as Language,
				serviceNameSource: fact.serviceNameSource as ServiceNameSource,
				selection: fact.selection as Selection,
				exportsOtlp: fact.exportsOtlp as ProcessFact['exportsOtlp'],
			}
		}),
		fallback: message.fallback.map((count): FallbackCount => {
			const { $typeName: _, ...fields } = count
			return { ...fields, role: count.role === 'server' ? 'server' : 'client' }
		}),
	}
}
