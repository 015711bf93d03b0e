import type { NamingProfile, SpanDescriber } from '../../model/span-describer.ts'
import type { RecordLayout } from './layout.ts'
import type { RecordParser } from './record-view.ts'

export interface SemconvOptions {
	readonly profile: NamingProfile
	/** Adds `vor.*` attributes that explain a span (why it has this parent). */
	readonly debugAttributes: boolean
}

/** What a protocol's folder offers. */
export interface Protocol {
	readonly name: string
	createParser(layout: RecordLayout): RecordParser
	createSemconv(options: SemconvOptions): SpanDescriber
}
