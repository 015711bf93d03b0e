/**
 * Throughput of a traced program with and without Vör, and for Node with the OpenTelemetry SDK's auto-instrumentation
 * instead. The three run in turn, round after round, because the machine's speed drifts: read the ratios. On a machine of
 * two CPUs the throughput says mostly how much everybody together needs; what the traced program itself pays is its CPU time
 * a request. `npm run bench -- throughput`
 */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../../src/bench/statistics.ts'
import { cpuNsOf } from '../../src/bench/vor-process.ts'
import { stages } from '../e2e/support/pipelines.ts'
import { run } from '../e2e/support/process.ts'
import { buildLoadMaker, type Server, startNginx, startNode } from '../e2e/support/programs.ts'
import { startVor, type Vor } from '../e2e/support/vor.ts'
import { startCollector } from '../helpers/collector.ts'
import { childrenOf } from './support/children.ts'
import { discoveryOf } from './support/load.ts'
import { machine } from './support/statistics.ts'

const rounds = 3
const seconds = 3
const loadMaker = buildLoadMaker()

/** One run: requests a second as fast as answers come, on 32 keep-alive connections, and whose CPU a request took (µs). */
interface Run {
	readonly rate: number
	readonly server: number
	readonly vor: number
	readonly collector: number
}

async function measure(server: Server, collectorPid: number, vor: Vor | undefined): Promise<Run> {
	const load = await loadMaker
	await run(load, [String(server.port), '32', '0', '1', '/'])
	const read = () => ({
		server: cpuOf(server.pid),
		vor: vor === undefined ? 0 : cpuOf(vor.pid),
		collector: cpuOf(collectorPid),
	})
	const before = read()
	const result = await run(load, [String(server.port), '32', '0', String(seconds), '/'])
	const match = result.stdout.match(/completed (\d+) errors 0/)
	if (match === null) throw new Error(`load failed: ${result.stdout} ${result.stderr}`)
	// What it has taken in is worked off before it counts.
	await sleep(500)
	const after = read()
	const requests = Number(match[1])
	return {
		rate: requests / seconds,
		server: (after.server - before.server) / requests,
		vor: (after.vor - before.vor) / requests,
		collector: (after.collector - before.collector) / requests,
	}
}

/** CPU of a process and its children, all threads, in µs, in clock ticks of 10 ms. */
function cpuOf(pid: number): number {
	let total = cpuNsOf(pid) / 1000
	for (const child of childrenOf(pid)) total += cpuOf(child)
	return total
}

/** NODE_OPTIONS for the SDK that a user would pick otherwise. It lives in the cache folder; never a dependency of ours. */
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
	const modules = join(folder, 'node_modules', '@opentelemetry')
	// Programs in ES modules are instrumented through a loader hook.
	return `--experimental-loader=${join(modules, 'instrumentation', 'hook.mjs')} --require=${join(main, 'build', 'src', 'register.js')}`
}

async function main(): Promise<void> {
	console.log(machine())
	const register = installSdk()
	const collector = await startCollector()
	// The only child that we have by now, its build apart, which has ended.
	const collectorPid = childrenOf(process.pid).at(-1) as number
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
					NODE_OPTIONS: register,
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
		const figures: Record<'plain' | 'vor' | 'sdk', Run[]> = { plain: [], vor: [], sdk: [] }
		for (let round = 0; round < rounds; round++) {
			const server = await subject.plain()
			figures.plain.push(await measure(server, collectorPid, undefined))
			// Only the server, as the SDK does: one span a request.
			const vor = await startVor(
				stages({
					endpoint: collector.endpoint,
					interval: '15s',
					ringbuf: discoveryOf(server),
				}),
			)
			figures.vor.push(await measure(server, collectorPid, vor))
			await vor.stop()
			await server.stop()
			if (subject.sdk !== undefined) {
				const instrumented = await subject.sdk()
				figures.sdk.push(await measure(instrumented, collectorPid, undefined))
				// It exports every 5 s; without its spans there would be nothing to compare with.
				await collector.waitForTraces((spans) => spans.some((span) => span.service === 'bench'), 20_000)
				await instrumented.stop()
			}
		}
		const show = (name: string, runs: readonly Run[]) => {
			if (runs.length === 0) return
			const of = (key: keyof Run) => median(runs.map((each) => each[key]))
			const share = (key: 'rate' | 'server') =>
				median(
					runs.map((each, i) => {
						const plain = figures.plain[i] as Run
						return key === 'rate' ? each.rate / plain.rate : each.server / plain.server
					}),
				)
			console.log(
				`  ${name.padEnd(24)} ${of('rate').toFixed(0).padStart(6)} requests/s (${(100 * share('rate')).toFixed(0)} %)   CPU a request: the program ${of('server').toFixed(1)} µs (×${share('server').toFixed(2)}), Vör ${of('vor').toFixed(1)} µs, the collector ${of('collector').toFixed(1)} µs`,
			)
		}
		console.log(`${subject.name}; load maker, program, Vör and collector share the CPUs`)
		show('as it is', figures.plain)
		show('with Vör', figures.vor)
		show('with the OpenTelemetry SDK', figures.sdk)
	}
	await collector.stop()
}

await main()
