import { afterEach } from 'vitest'
import { createOtlpExporter, type OtlpExporter } from '../../src/export/otlp-grpc-exporter.ts'
import type { OtlpExporterInput } from '../../src/export/otlp-options.ts'
import { createAccounting, type StageTotals } from '../../src/telemetry/accounting.ts'
import { createLog } from '../../src/telemetry/log.ts'

export interface Subject {
	readonly exporter: OtlpExporter
	readonly log: () => string
	readonly lines: (part: string) => string[]
	readonly totals: () => StageTotals
	/** received − sent − dropped − held: 0, always. */
	readonly missing: () => number
	readonly dropped: () => Record<string, number>
}

const open: OtlpExporter[] = []
afterEach(async () => {
	await Promise.all(open.splice(0).map((exporter) => exporter.stop(0)))
})

/** An exporter with its accounting and log; stopped when the test ends. Retries begin at 20 ms. */
export function subject(
	endpoint: string,
	input: Omit<Partial<OtlpExporterInput>, 'client'> & { client?: Partial<OtlpExporterInput['client']> } = {},
): Subject {
	const accounting = createAccounting()
	let text = ''
	const exporter = createOtlpExporter(
		{
			...input,
			client: { endpoint, tls: { insecure: true }, ...input.client },
			retryOnFailure: { initialIntervalMs: 20, maxIntervalMs: 200, ...input.retryOnFailure },
		},
		{
			meter: accounting.meter('/', 'otelcol.exporter.otlp.test'),
			log: createLog({ level: 'debug', write: (line) => void (text += line) }),
			version: '0.1.0',
			random: () => 0.5,
		},
	)
	open.push(exporter)
	const totals = () => accounting.totals()[0]!
	const dropped = () =>
		Object.fromEntries([...totals().dropped].map(([reason, { count }]) => [reason, count]))
	return {
		exporter,
		log: () => text,
		lines: (part) => text.split('\n').filter((line) => line.includes(part)),
		totals,
		dropped,
		missing: () => {
			const { received, sent, held } = totals()
			return received - sent - held() - Object.values(dropped()).reduce((sum, count) => sum + count, 0)
		},
	}
}
