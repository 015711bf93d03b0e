import { HTTP_FLAG } from '../../../model/record.ts'
import type { Span } from '../../../model/span.ts'
import { decimal, type SamplerArgs } from './args/sampler.ts'

/** Whether a span is exported. */
export type Sampler = (span: Span) => boolean

const all: Sampler = () => true
const none: Sampler = () => false

/**
 * The samplers of OpenTelemetry. A span whose trace came in with a header follows the header's flag, and so do the calls
 * the program made for that request (the kernel hands the flag on); all else is decided by the trace id, so that the spans
 * of one trace share their fate.
 */
export function createSampler({ name, arg }: SamplerArgs): Sampler {
	const ratio = decimal(arg) ?? 1
	switch (name) {
		case 'always_off':
			return none
		case 'traceidratio':
			return byTraceId(ratio)
		case 'parentbased_always_on':
			return parentBased(all)
		case 'parentbased_always_off':
			return parentBased(none)
		case 'parentbased_traceidratio':
			return parentBased(byTraceId(ratio))
		default:
			return all
	}
}

const parentBased =
	(root: Sampler): Sampler =>
	(span) => {
		if ((span.traceFlags & 1) === 0) return false
		return (span.exchange.flags & HTTP_FLAG.traceparent) !== 0 || root(span)
	}

/** The rule of the SDKs: the last eight bytes of the trace id, without their lowest bit, below the ratio of 2^63. */
function byTraceId(ratio: number): Sampler {
	if (ratio >= 1) return all
	if (ratio <= 0) return none
	const bound = ratio * 2 ** 63
	return ({ ids, idsAt }) => {
		let high = 0
		let low = 0
		for (let i = 8; i < 12; i++) high = high * 256 + ids[idsAt + i]!
		for (let i = 12; i < 16; i++) low = low * 256 + ids[idsAt + i]!
		// 53 bits decide; the ids are random far below that.
		return high * 2 ** 31 + Math.floor(low / 2) < bound
	}
}
