import type { Exchange } from '../model/exchange.ts'

export type OtlpSignal = 'traces' | 'metrics'

/** The signal that a successful client exchange exported, undefined = it was no OTLP/HTTP export. */
export function exportedSignal(exchange: Exchange): OtlpSignal | undefined {
	if (exchange.role !== 'client' || exchange.methodName !== 'POST') return undefined
	if (exchange.status < 200 || exchange.status > 299) return undefined
	const { target } = exchange
	if (target.endsWith('/v1/traces')) return 'traces'
	if (target.endsWith('/v1/metrics')) return 'metrics'
	return undefined
}
