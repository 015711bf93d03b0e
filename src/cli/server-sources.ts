import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { type ComponentRef, fullId, type Services } from '../components/services.ts'
import { prometheusFamilies } from '../export/prometheus-text.ts'
import type { Graph, GraphSource } from '../graph/graph.ts'
import { type ConfigState, configFamilies, controllerFamilies } from '../server/controller-families.ts'
import { componentInfo } from '../server/graph-info.ts'
import type { LiveSource } from '../server/live-stream.ts'
import type { ServerSources } from '../server/routes.ts'
import { createTopSampler } from '../server/top-sampler.ts'
import type { Accounting } from '../telemetry/accounting.ts'
import type { Labels } from '../telemetry/metric-family.ts'
import { renderChunks } from '../telemetry/metric-family.ts'
import type { MetricRegistry } from '../telemetry/registry.ts'

export interface SourcesOptions {
	readonly graph: Graph
	readonly services: Services
	readonly accounting: Accounting
	readonly own: MetricRegistry
	readonly reload: () => Promise<string | undefined>
	readonly source: () => GraphSource
	readonly live: LiveSource
}

/** What the HTTP server shows of a running Vör. Everything is read when it is asked for. */
export function createServerSources(options: SourcesOptions): ServerSources {
	const { graph, services, accounting, own } = options
	const metrics = () => services.aggregates.entries().flatMap(([, view]) => view.collect().metrics)
	const unreadable = () => services.aggregates.entries().flatMap(([, view]) => view.unreadable())
	const infos = () => graph.components().map(componentInfo)
	const top = createTopSampler({
		metrics,
		unreadable,
		spans: () =>
			accounting
				.totals()
				.reduce((sum, stage) => sum + (stage.id.startsWith('ebpf.propagate') ? stage.sent : 0), 0),
		dropped: () =>
			accounting
				.totals()
				.flatMap((stage) => [...stage.dropped].filter(([, { intentional }]) => !intentional))
				.map(([reason, { count }]) => ({ reason, count })),
	})
	return {
		ready: () =>
			graph.status().lastSuccess !== undefined &&
			services.sources.entries().every(([, source]) => source.attached()),
		components: infos,
		component: (id) =>
			infos().find(
				(info) => (info.moduleID === '' ? info.localID : `${info.moduleID}/${info.localID}`) === id,
			),
		moduleComponents: (moduleId) => infos().filter((info) => info.moduleID === moduleId),
		reload: options.reload,
		live: options.live,
		top,
		componentMetrics(id) {
			const scrape = services.scrapes.entries().find(([component]) => fullId(component) === id)?.[1]
			return scrape === undefined ? undefined : inTurns(renderChunks(prometheusFamilies(scrape().metrics)))
		},
		metrics: () =>
			inTurns(
				renderChunks([
					...prometheusFamilies(metrics()),
					...own.families(),
					...configFamilies(configState(graph, options.source())),
					...controllerFamilies(infos()),
					...viewFamilies(services),
				]),
			),
	}
}

/** With thousands of series it is long: between two pieces the dataflow goes on. */
async function* inTurns(chunks: Iterable<string>): AsyncGenerator<string, void> {
	for (const chunk of chunks) {
		yield chunk
		await setImmediate()
	}
}

function viewFamilies(services: Services) {
	const labels = ({ path, id }: ComponentRef): Labels => [
		['component_path', path],
		['component_id', id],
	]
	const counter = (name: string, help: string, samples: { suffix: ''; labels: Labels; value: number }[]) => ({
		name,
		type: 'counter' as const,
		help,
		samples,
	})
	const unreadable = services.aggregates.entries().flatMap(([, view]) => view.unreadable())
	const correlators = services.correlators.entries()
	return [
		counter(
			'vor_connections_total',
			'Connections that Vör sees but cannot read.',
			unreadable.map(({ service, protocol, connections }) => ({
				suffix: '',
				labels: [
					['service_name', service],
					['protocol', protocol],
				],
				value: connections,
			})),
		),
		counter(
			'vor_parent_absent_total',
			'Client requests without exact evidence for the request that caused them.',
			correlators.flatMap(([component, view]) =>
				view.parentAbsent().map(([reason, value]) => ({
					suffix: '' as const,
					labels: [...labels(component), ['reason', reason] as const],
					value,
				})),
			),
		),
		counter(
			'vor_parent_total',
			'Requests with a parent, by the evidence for it.',
			correlators.flatMap(([component, view]) =>
				view.parentPresent().map(([evidence, value]) => ({
					suffix: '' as const,
					labels: [...labels(component), ['evidence', evidence] as const],
					value,
				})),
			),
		),
		...services.sources.entries().flatMap(([component, view]) => view.families(labels(component))),
		...correlators.flatMap(([component, view]) => view.families(labels(component))),
		...services.propagators.entries().flatMap(([component, view]) => view.families(labels(component))),
		...services.aggregates.entries().flatMap(([component, view]) => view.families(labels(component))),
		...services.others.entries().flatMap(([ref, view]) => view.families(labels(ref))),
		...services.exporters.entries().flatMap(([component, view]) => view.families(labels(component))),
	]
}

function configState(graph: Graph, source: GraphSource): ConfigState {
	const status = graph.status()
	const hash = createHash('sha256')
	for (const file of source.files) hash.update(file.text)
	return {
		successful: status.lastOk,
		lastSuccessSeconds: (status.lastSuccess?.getTime() ?? 0) / 1000,
		failures: status.failures,
		sha256: hash.digest('hex'),
	}
}
