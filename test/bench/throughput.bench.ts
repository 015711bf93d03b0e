/**
 * Throughput of a traced program with and without Vör, and for Node with the OpenTelemetry SDK's auto-instrumentation
 * instead. The three run in turn in one process, round after round, because the machine's speed drifts: read the ratios.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { stages } from '../e2e/support/pipelines.ts'
import { run } from '../e2e/support/process.ts'
import { buildLoadMaker, type Server, startNginx, startNode } from '../e2e/support/programs.ts'
import { startVor } from '../e2e/support/vor.ts'
import { startCollector } from '../helpers/collector.ts'

const rounds = 5
const seconds = 4

/** Requests a second, as fast as answers come, on 32 keep-alive connections. */
async function throughput(server: Server): Promise<number> {
	const load = await buildLoadMaker()
	await run(load, [String(server.port), '32', '0', '1', '/'])
	const result = await run(load, [String(server.port), '32', '0', String(seconds), '/'])
	const match = result.stdout.match(/completed (\d+) errors 0/)
	if (match === null) throw new Error(`load failed: ${result.stdout} ${result.stderr}`)
	return Number(match[1]) / seconds
}

/** The SDK that a user would pick otherwise, in the cache folder; never a dependency of ours. */
function installSdk(): string {
	const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'vor-test', 'otel-sdk')
	const main = join(folder, 'node_modules', '@opentelemetry', 'auto-instrumentations-node')
	if (!existsSync(main)) {
		mkdirSync(folder, { recursive: true })
		console.log('installing @opentelemetry/auto-instrumentations-node into the cache …')
		execFileSync(
			'npm',
			[
				'install',
				'--silent',
				'--no-fund',
				'--no-audit',
				'--ignore-scripts',
				'--prefix',
				folder,
				'@opentelemetry/api@1.9.1',
				'@opentelemetry/auto-instrumentations-node',
			],
			{ stdio: 'inherit' },
		)
	}
	return join(main, 'build', 'src', 'register.js')
}

const median = (values: readonly number[]) =>
	[...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

async function main(): Promise<void> {
	const collector = await startCollector()
	const register = installSdk()
	const pipeline = stages({ endpoint: collector.endpoint, interval: '15s' })
	const subjects: { name: string; plain: () => Promise<Server>; sdk?: () => Promise<Server> }[] = [
		{
			name: 'nginx',
			plain: () => startNginx('server { listen 127.0.0.1:PORT; location / { return 200 yes; } }'),
		},
		{
			name: 'Node http',
			plain: () => startNode(),
			sdk: () =>
				startNode({
					NODE_OPTIONS: `--require ${register}`,
					OTEL_SERVICE_NAME: 'bench',
					OTEL_TRACES_EXPORTER: 'otlp',
					OTEL_METRICS_EXPORTER: 'otlp',
					OTEL_LOGS_EXPORTER: 'none',
					OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
					OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector.endpoint}`,
				}),
		},
	]
	for (const subject of subjects) {
		const figures = { plain: [] as number[], vor: [] as number[], sdk: [] as number[] }
		for (let round = 0; round < rounds; round++) {
			const server = await subject.plain()
			figures.plain.push(await throughput(server))
			const vor = await startVor(pipeline)
			figures.vor.push(await throughput(server))
			await vor.stop()
			await server.stop()
			if (subject.sdk !== undefined) {
				const instrumented = await subject.sdk()
				figures.sdk.push(await throughput(instrumented))
				await instrumented.stop()
			}
		}
		const ratio = (values: readonly number[]) =>
			median(values.map((value, i) => value / (figures.plain[i] as number)))
		console.log(`${subject.name}: without ${median(figures.plain).toFixed(0)} requests/s`)
		console.log(
			`  with Vör, both sides and the collector on two cores: ${median(figures.vor).toFixed(0)} (${(100 * ratio(figures.vor)).toFixed(0)} %)`,
		)
		if (figures.sdk.length > 0)
			console.log(
				`  with the OpenTelemetry SDK instead: ${median(figures.sdk).toFixed(0)} (${(100 * ratio(figures.sdk)).toFixed(0)} %)`,
			)
	}
	await collector.stop()
}

await main()
