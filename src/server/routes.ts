import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Logger } from '../telemetry/log.ts'
import type { ComponentInfo } from './component-info.ts'
import { type LiveSource, streamLive } from './live-stream.ts'
import { metricsText, notFound, productName, reply, replyJson } from './replies.ts'
import type { TopSnapshot } from './top-snapshot.ts'

/** Prometheus text: all of it, or in pieces as it is made. */
export type MetricsText = string | AsyncIterable<string>

/** What the server shows. It reads on demand and keeps nothing: each is asked when a request asks for it. */
export interface ServerSources {
	metrics(): MetricsText
	/** The graph is loaded and the probes are attached. */
	ready(): boolean
	/** In graph order. `arguments`, `exports` and `debugInfo` may be left empty here. */
	components(): readonly ComponentInfo[]
	/** One component with everything; `id` as in `localID`, after `moduleID/` in a module. */
	component(id: string): ComponentInfo | undefined
	/** Components of one module; undefined when there is no such module. */
	moduleComponents?(moduleId: string): readonly ComponentInfo[] | undefined
	/** Resolves to undefined when done, else to the text of what is wrong, without line feed. */
	reload(): Promise<string | undefined>
	top(): TopSnapshot
	/** Prometheus text of one component that has a page of its own; undefined when there is none of that id. */
	componentMetrics?(id: string): MetricsText | undefined
	/** What components pass on, while it passes. */
	readonly live?: LiveSource
}

export type Route = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void> | void

/** The handler of a path, or undefined. Alloy's paths, statuses and bodies; `/api/v0/top` is ours. */
export function createRoutes(sources: ServerSources, log: Logger): (path: string) => Route | undefined {
	const fixed = new Map<string, Route>([
		['/metrics', (_request, response) => sendMetrics(sources.metrics(), response)],
		[
			'/-/ready',
			(_request, response) =>
				sources.ready()
					? reply(response, 200, `${productName} is ready.\n`)
					: reply(response, 503, `${productName} is not ready.\n`),
		],
		['/-/healthy', (_request, response) => sendHealth(sources, response)],
		['/-/reload', (request, response) => reload(sources, request, response)],
		[
			'/api/v0/web/components',
			(_request, response) => replyJson(response, sources.components().filter(inRoot).map(brief)),
		],
		['/api/v0/top', (_request, response) => replyJson(response, sources.top(), 'application/json')],
	])
	return (path) => {
		const route = fixed.get(path)
		if (route !== undefined) return route
		if (path.startsWith('/api/v0/web/components/')) {
			return (_request, response) => {
				const info = sources.component(path.slice('/api/v0/web/components/'.length))
				if (info === undefined) notFound(response)
				else replyJson(response, info)
			}
		}
		const scraped = /^\/api\/v0\/component\/(.+)\/metrics$/.exec(path)?.[1]
		if (scraped !== undefined) {
			return (_request, response) => {
				const text = sources.componentMetrics?.(scraped)
				if (text === undefined) return notFound(response)
				return sendMetrics(text, response)
			}
		}
		if (path.startsWith('/api/v0/web/debug/') && sources.live !== undefined) {
			const { live } = sources
			const id = path.slice('/api/v0/web/debug/'.length)
			return (request, response) => streamLive(live, id, request, response, log)
		}
		const inModule = /^\/api\/v0\/web\/modules\/(.+)\/components$/.exec(path)?.[1]
		if (inModule !== undefined) {
			return (_request, response) => {
				const infos = sources.moduleComponents?.(inModule)
				if (infos === undefined) notFound(response)
				else replyJson(response, infos.map(brief))
			}
		}
		return undefined
	}
}

/** As in Alloy: components inside modules are listed by module. */
const inRoot = ({ moduleID }: ComponentInfo): boolean => moduleID === ''

/** The list leaves out what only the page of one component shows. */
function brief(info: ComponentInfo): ComponentInfo {
	return { ...info, arguments: [], exports: [], debugInfo: [] }
}

async function sendMetrics(text: MetricsText, response: ServerResponse): Promise<void> {
	if (typeof text === 'string') {
		reply(response, 200, text, metricsText)
		return
	}
	response.writeHead(200, { 'content-type': metricsText })
	await pipeline(text, response)
}

function sendHealth(sources: ServerSources, response: ServerResponse): void {
	// As in Alloy the names stand without labels, in the order of the graph.
	const unhealthy: string[] = []
	for (const { name, health } of sources.components()) {
		if (health.state === 'unhealthy' || health.state === 'exited') unhealthy.push(name)
	}
	if (unhealthy.length === 0) reply(response, 200, `All ${productName} components are healthy.\n`)
	else reply(response, 500, `unhealthy components: ${unhealthy.join(', ')}\n`)
}

async function reload(
	sources: ServerSources,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	if (request.method !== 'GET' && request.method !== 'POST') {
		response.writeHead(405, { 'content-length': 0 }).end()
		return
	}
	// Alloy reloads on GET too, so a foreign page could ask for it with an image tag; browsers say when that is so.
	if (request.headers['sec-fetch-site'] === 'cross-site') {
		reply(response, 403, 'a page of another site may not reload\n')
		return
	}
	const problem = await sources.reload()
	if (problem === undefined) reply(response, 200, 'config reloaded\n')
	else reply(response, 400, `${problem}\n`)
}
