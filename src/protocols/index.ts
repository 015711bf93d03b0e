import type { SpanDescriber } from '../model/span-describer.ts'
import type { StageMeter } from '../telemetry/accounting.ts'
import { createConnectionParser } from './common/connection.ts'
import type { RecordLayout } from './common/layout.ts'
import type { Protocol, SemconvOptions } from './common/protocol.ts'
import { createDecoder, type Decoder } from './decoder.ts'
import { http1 } from './http1/index.ts'

/** Adding a protocol is its folder and one line here. */
const PROTOCOLS: readonly Protocol[] = [http1]

export type { RecordLayout } from './common/layout.ts'
export type { Decoder } from './decoder.ts'

/** The engine of `ebpf.decode`, for the layout of the object that is loaded. */
export function createProtocolDecoder(layout: RecordLayout, meter: StageMeter): Decoder {
	const parsers = [createConnectionParser(layout), ...PROTOCOLS.map((each) => each.createParser(layout))]
	return createDecoder({ layout, parsers, meter })
}

/** What `ebpf.correlate` needs of the protocols. */
export function createDescribers(options: SemconvOptions): readonly SpanDescriber[] {
	return PROTOCOLS.map((each) => each.createSemconv(options))
}
