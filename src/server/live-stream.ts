import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../telemetry/log.ts'
import { reply } from './replies.ts'

/** Who looks at what a component passes on. */
export interface LiveSink {
	/** Something passed; `text` makes the text of it, and is not called where there is no room for it. */
	offer(text: () => string): void
	/** The component is gone, or live debugging was turned off. */
	end(): void
}

/** Data of components while it passes. */
export interface LiveSource {
	/** Until the returned function is called; a text says why not. */
	watch(id: string, sink: LiveSink): (() => void) | string
}

/** Between two texts, as in Alloy. */
const separator = '|;|'
/** A client that reads slower misses what does not fit in here. */
const maxWaitingBytes = 1024 * 1024

/** Texts of what one component passes on, until the client hangs up; a share of them with `sampleProb`. */
export function streamLive(
	source: LiveSource,
	id: string,
	request: IncomingMessage,
	response: ServerResponse,
	log: Logger,
): void {
	const share = sampleShare(request.url ?? '')
	if (share === undefined) {
		reply(response, 400, 'Invalid sample probability\n')
		return
	}
	let dropped = 0
	const stop = source.watch(id, {
		offer(text) {
			if (share < 1 && Math.random() >= share) return
			if (response.writableLength > maxWaitingBytes) {
				if (dropped++ === 0) {
					log.warn(
						'data throughput is very high, not all debugging data can be sent the live debugging stream',
						{ service: 'http', component_id: id },
					)
				}
				return
			}
			const made = text()
			if (made !== '') response.write(made + separator)
		},
		end: () => void response.end(),
	})
	if (typeof stop === 'string') {
		reply(response, 500, `${stop}\n`)
		return
	}
	response.on('close', () => {
		stop()
		if (dropped > 0) log.info('live debugging stream ended', { service: 'http', component_id: id, dropped })
	})
	response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
	response.flushHeaders()
}

function sampleShare(url: string): number | undefined {
	const at = url.indexOf('?')
	const text = at < 0 ? '' : (new URLSearchParams(url.slice(at + 1)).get('sampleProb') ?? '')
	if (text === '') return 1
	const share = Number(text)
	return share >= 0 && share <= 1 && text.trim() === text ? share : undefined
}
