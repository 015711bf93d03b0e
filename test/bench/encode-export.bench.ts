// CPU of this process for a span from the exporter's input to the socket, gzip (on libuv's pool) and none, against a
// receiver in another process. `npm run bench -- encode`
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createOtlpExporter } from '../../src/export/otlp-grpc-exporter.ts'
import { createAccounting } from '../../src/telemetry/accounting.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { makeBatch, makeResource, makeSpan } from '../export/samples.ts'

const SPANS = 512
const BATCHES = 400

if (process.argv[2] === 'receiver') {
	const { startBackend } = await import('../export/backend.ts')
	const backend = await startBackend(() => undefined)
	process.send?.(backend.endpoint)
} else await measure()

async function measure(): Promise<void> {
	const receiver = fork(fileURLToPath(import.meta.url), ['receiver'])
	const endpoint = await new Promise<string>((resolve) =>
		receiver.once('message', (text) => resolve(String(text))),
	)
	const resources = ['checkout', 'orders', 'stock', 'mail'].map((name) => makeResource(name))
	const batch = makeBatch(Array.from({ length: SPANS }, (_, n) => makeSpan(n, resources[n % 4]!)))
	for (const compression of ['none', 'gzip']) {
		const accounting = createAccounting()
		const exporter = createOtlpExporter(
			{ client: { endpoint, compression, tls: { insecure: true } } },
			{ meter: accounting.meter('/', 'bench'), log: createLog(), version: '0.1.0' },
		)
		const round = async (count: number) => {
			for (let i = 0; i < count; i++) {
				exporter.traces.next(batch)
				// As the drain does: the loop turns between batches, and the pace is one the queue can follow.
				if (i % 8 === 7) await exporter.flush(10_000)
			}
			await exporter.flush(10_000)
		}
		await round(60)
		const cpu = process.cpuUsage()
		const started = performance.now()
		await round(BATCHES)
		const used = process.cpuUsage(cpu)
		const spans = BATCHES * SPANS
		const total = (used.user + used.system) / spans
		const { sent, received } = accounting.totals()[0]!
		console.log(
			`export  compression=${compression}  ${total.toFixed(2)} µs/span  ${(spans / (performance.now() - started)).toFixed(0)} k spans/s  sent ${sent} of ${received}`,
		)
		await exporter.stop(1000)
	}
	receiver.kill()
}
