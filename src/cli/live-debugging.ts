import { detailedText } from '../export/debug-text.ts'
import type { LiveBatches, LiveKind, LiveListener } from '../flow/live.ts'
import type { Graph } from '../graph/graph.ts'
import type { RawBatch } from '../model/batch.ts'
import type { Exchange } from '../model/exchange.ts'
import type { LiveSink, LiveSource } from '../server/live-stream.ts'
import { printable } from '../util/printable.ts'
import { version } from '../util/version.ts'

/** What the `livedebugging` block turns on: components of the graph, looked at over HTTP. */
export function createLiveDebugging(graph: Graph): LiveSource {
	let enabled = false
	const sinks = new Set<LiveSink>()
	graph.events.on('configure', (name, args) => {
		if (name !== 'livedebugging') return
		enabled = (args as { readonly enabled: boolean }).enabled
		if (enabled) return
		for (const sink of sinks) sink.end()
	})
	return {
		watch(id, sink) {
			// Alloy's texts.
			if (!enabled)
				return 'the live debugging service is disabled. Check the documentation to find out how to enable it'
			const component = graph
				.components()
				.find(({ moduleId, localId }) => (moduleId === '' ? localId : `${moduleId}/${localId}`) === id)
			if (component === undefined) return 'component not found'
			if (component.live?.supported !== true)
				return `the component "${component.name}" does not support live debugging`
			const show: LiveListener = (kind, batch) => sink.offer(() => liveText(kind, batch))
			const stop = component.live.watch(show, () => sink.end())
			sinks.add(sink)
			return () => {
				stop()
				sinks.delete(sink)
			}
		},
	}
}

const detailed = detailedText(version())

/** '' when there is nothing in it to show. */
function liveText<Kind extends LiveKind>(kind: Kind, batch: LiveBatches[Kind]): string {
	return texts[kind](batch)
}

const texts: { readonly [Kind in LiveKind]: (batch: LiveBatches[Kind]) => string } = {
	records: recordsText,
	exchanges: ({ exchanges }) => exchanges.map(exchangeText).join('\n'),
	// As the Collector's debug exporter writes them, which is what Alloy shows.
	spans: (batch) => detailed.traces(batch).trimEnd(),
	metrics: ({ metrics }) => detailed.metrics(metrics).trimEnd(),
}

/** What stands in the records is told by the stage that reads them. */
function recordsText({ records, length, processes }: RawBatch): string {
	if (records === 0 && processes.length === 0) return ''
	return [
		`Records: ${records}, ${length} bytes`,
		...processes.map(
			(fact) =>
				`Process ${fact.pid}: ${printable(fact.serviceName)} ${fact.language} ${fact.selection} (${printable(fact.selectionReason)})`,
		),
	].join('\n')
}

function exchangeText(one: Exchange): string {
	const ms = ((one.endNs - one.startNs) / 1e6).toFixed(3)
	const way = one.role === 'server' ? '<-' : '->'
	const address = (host: string, port: number): string => (one.family === 'unix' ? 'unix' : `${host}:${port}`)
	return [
		`${one.role} ${one.protocol} pid=${one.pid} tid=${one.tid}`,
		`${address(one.localAddress, one.localPort)} ${way} ${address(one.remoteAddress, one.remotePort)}`,
		printable(`${one.method} ${one.host}${one.target}`),
		`status=${one.status === 0 ? 'none' : one.status} duration=${ms}ms`,
		`request_body=${one.requestBodySize} response_body=${one.responseBodySize}`,
	].join(' ')
}
