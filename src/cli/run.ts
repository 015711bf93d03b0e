import { isDeepStrictEqual } from 'node:util'
import type { LoadResult } from '../graph/graph.ts'
import type { HttpArgs } from '../graph/http-block.ts'
import { readHost } from '../process/index.ts'
import type { Authentication } from '../server/authentication.ts'
import { startHttpServer } from '../server/http-server.ts'
import { lockInstance } from '../server/instance-lock.ts'
import { formatHostPort, parseListenAddress } from '../server/listen-address.ts'
import { productName } from '../server/replies.ts'
import { type ServerTls, serverTls } from '../server/server-tls.ts'
import type { StageTotals } from '../telemetry/accounting.ts'
import { accountingFamilies } from '../telemetry/accounting-families.ts'
import { monitorEventLoop } from '../telemetry/event-loop.ts'
import type { LogFields } from '../telemetry/log.ts'
import { processFamilies } from '../telemetry/process-families.ts'
import { createRegistry as createMetricRegistry } from '../telemetry/registry.ts'
import { VorError } from '../util/errors.ts'
import { limitHeapGrowth } from '../util/heap-growth.ts'
import { version } from '../util/version.ts'
import { limitYoungGeneration } from '../util/young-generation.ts'
import type { CliCommand, CliIo } from './command.ts'
import { dropEarlyStart } from './early-start.ts'
import { createLiveDebugging } from './live-debugging.ts'
import { createPipelineRuntime, firstProblem, refuseLoad } from './pipeline-runtime.ts'
import { readConfiguration } from './read-configuration.ts'
import { parseRunOptions, type RunOptions, runUsage } from './run-options.ts'
import { createServerSources } from './server-sources.ts'

export const command: CliCommand = {
	name: 'run',
	summary: 'Run a pipeline file: instrument, aggregate, export.',
	usage: runUsage(),
	async run(argv, io) {
		try {
			return await runPipeline(parseRunOptions(argv, io.env), io)
		} finally {
			dropEarlyStart()
		}
	},
}

/** Holds the short-lived objects of a few batches; docs/overhead.md has what more would cost and bring. */
const YOUNG_BYTES = 8 << 20
/** Of the heap, between two full collections. */
const GROWTH_PERCENT = 25

/** TLS without a certificate: no handshake succeeds. */
const noHandshake: ServerTls = { options: {}, accepts: () => false }

/** Runs until a signal; resolves to the exit code. */
async function runPipeline(options: RunOptions, io: CliIo): Promise<number> {
	const listen = parseListenAddress(options.listen)
	let source = await readConfiguration(options.path)
	const own = createMetricRegistry()
	const eventLoop = monitorEventLoop()
	const endLimits = [limitYoungGeneration(YOUNG_BYTES), limitHeapGrowth(GROWTH_PERCENT)]
	const { graph, services, accounting, log, flushTraces } = createPipelineRuntime({
		io,
		host: readHost(),
		storagePath: options.storagePath,
		stability: options.stability,
		logLevel: options.logLevel,
		metrics: own,
	})
	log.info(`${productName} is starting`)
	own.source(() => accountingFamilies(accounting))
	own.source(() => processFamilies())
	own.source(() => eventLoop.families())

	/** undefined, or the text of what is wrong, in Alloy's words. The old graph runs on. */
	async function reload(by: LogFields): Promise<string | undefined> {
		const reading = `reading config path ${JSON.stringify(options.path)}: `
		let problem: string
		try {
			const next = await readConfiguration(options.path)
			const result = await graph.load(next)
			if (result.ok) {
				source = next
				log.info('config reloaded', { ...by, ...summaryOf(result) })
				return undefined
			}
			problem = `${result.parsed ? 'error during the initial load: ' : reading}${firstProblem(result)}`
		} catch (reason) {
			problem = `${reading}${VorError.from(reason).message}`
		}
		log.error('failed to reload config', { ...by, err: problem })
		return problem
	}

	function reloadOverHttp(): Promise<string | undefined> {
		log.info('reload requested via /-/reload endpoint', { service: 'http' })
		return reload({ service: 'http' })
	}

	let authentication: Authentication | undefined
	let tls: ServerTls | undefined
	let tlsProblem: VorError | undefined
	graph.events.on('configure', (name, args) => {
		if (name !== 'http') return
		authentication = authenticationOf(args as HttpArgs)
		try {
			const next = tlsOf(args as HttpArgs)
			// The same object as long as nothing changes: connections keep their server.
			if (!isDeepStrictEqual(next, tls)) tls = next
			tlsProblem = undefined
		} catch (reason) {
			// Never in plain what was to be encrypted: the last good settings stay, or nobody is answered.
			tlsProblem = VorError.from(reason)
			tls ??= noHandshake
			log.error('http tls', { service: 'http', err: tlsProblem.message })
		}
	})
	const live = createLiveDebugging(graph)
	const lock = await lockInstance(options.storagePath)
	let server: Awaited<ReturnType<typeof startHttpServer>> | undefined
	const ending = endOfProcess()
	let onHangup = () => {}
	let stopping = false
	try {
		server = await startHttpServer({
			listen,
			log,
			authentication: () => authentication,
			tls: () => tls,
			sources: createServerSources({
				graph,
				services,
				accounting,
				own,
				reload: reloadOverHttp,
				source: () => source,
				live,
			}),
		})
		const loading = graph.load(source)
		// From now on, not when all runs: who sees us answer may ask for a reload, and this signal ends who does not expect it.
		onHangup = () => {
			loading.then(
				({ ok }) => (ok && !stopping ? reload({}) : undefined),
				() => {},
			)
		}
		process.on('SIGHUP', onHangup)
		// A module that is imported may be long in coming: a signal is not kept waiting for it.
		const first = await Promise.race([loading, ending.signal])
		if (typeof first === 'string') {
			stopping = true
			log.info('shutting down', { signal: first, loaded: false })
			await graph.stop(options.shutdownMs)
			return 0
		}
		dropEarlyStart()
		if (!first.ok) return refuseLoad(first, io)
		const failure = services.startFailures[0] ?? tlsProblem
		if (failure !== undefined) {
			await graph.stop(options.shutdownMs)
			throw failure
		}
		log.info(`{^_^} ${productName} is running`, {
			version: version(),
			components: first.summary.added.length,
		})
		const signal = await ending.signal
		stopping = true
		log.info('shutting down', { signal })
		// Stages leave the books when they stop; what they last wrote is still to be read.
		const stages = accounting.totals()
		const before = droppedBy(stages)
		flushTraces()
		const { clean } = await graph.stop(options.shutdownMs)
		// What the kernel holds are requests under way: they go on without us.
		const underWay = heldBy(stages.filter(isSource))
		const left = heldBy(stages) - underWay
		// What the end itself cost: an exporter that had to give up, with its reason in a line of its own.
		const dropped = droppedBy(stages) - before
		log[dropped + left > 0 ? 'warn' : 'info']('stopped', { clean, left, dropped, under_way: underWay })
		return 0
	} finally {
		process.off('SIGHUP', onHangup)
		ending.forget()
		eventLoop.stop()
		for (const end of endLimits) end()
		await server?.close()
		if (server !== undefined)
			log.info('http server closed', {
				service: 'http',
				addr: formatHostPort(server.address.host, server.address.port),
			})
		await lock.release()
	}
}

const isSource = ({ id }: StageTotals): boolean => id.startsWith('ebpf.ringbuf')
const heldBy = (stages: readonly StageTotals[]): number =>
	stages.reduce((sum, stage) => sum + stage.held(), 0)

function tlsOf({ tls }: HttpArgs): ServerTls | undefined {
	if (tls === undefined) return undefined
	return serverTls({
		certPem: tls.cert_pem,
		certFile: tls.cert_file,
		keyPem: tls.key_pem.reveal(),
		keyFile: tls.key_file,
		clientCaPem: tls.client_ca_pem,
		clientCaFile: tls.client_ca_file,
		clientAuthType: tls.client_auth_type,
		cipherSuites: tls.cipher_suites,
		curvePreferences: tls.curve_preferences,
		minVersion: tls.min_version,
		maxVersion: tls.max_version,
	})
}

function authenticationOf({ auth }: HttpArgs): Authentication | undefined {
	if (auth?.basic === undefined) return undefined
	const { basic, filter } = auth
	return {
		username: basic.username,
		password: () => basic.password.reveal(),
		paths: filter.paths,
		matching: filter.authenticate_matching_paths,
	}
}

/** Items that stages lost against the user's will. */
function droppedBy(stages: readonly StageTotals[]): number {
	let sum = 0
	for (const { dropped } of stages)
		for (const { count, intentional } of dropped.values()) if (!intentional) sum += count
	return sum
}

function summaryOf({ summary }: LoadResult) {
	return { added: summary.added.length, removed: summary.removed.length, kept: summary.kept.length }
}

/** The first SIGINT or SIGTERM; a second one ends the process at once. */
function endOfProcess(): { readonly signal: Promise<string>; forget(): void } {
	let resolve!: (signal: string) => void
	const signal = new Promise<string>((done) => {
		resolve = done
	})
	let seen = false
	const onSignal = (name: NodeJS.Signals) => {
		if (seen) process.exit(1)
		seen = true
		resolve(name)
	}
	process.on('SIGINT', onSignal)
	process.on('SIGTERM', onSignal)
	return {
		signal,
		forget() {
			process.off('SIGINT', onSignal)
			process.off('SIGTERM', onSignal)
		},
	}
}
