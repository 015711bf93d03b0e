import { type MetricFamily, type Sample, single } from '../telemetry/metric-family.ts'
import type { ComponentInfo } from './component-info.ts'

const controller = (moduleId: string) =>
	[
		['controller_id', moduleId],
		['controller_path', '/'],
	] as const

/** What Alloy's dashboards read about the graph, from the same list that the JSON API shows. */
export function controllerFamilies(components: readonly ComponentInfo[]): MetricFamily[] {
	const running = new Map<string, number>()
	const edges: Sample[] = []
	for (const { moduleID, localID, health, referencesTo } of components) {
		const key = `${moduleID}\u0000${health.state}`
		running.set(key, (running.get(key) ?? 0) + 1)
		for (const to of referencesTo) {
			const labels = [...controller(moduleID), ['from', localID], ['to', to]] as const
			edges.push({ suffix: '', labels, value: 1 })
		}
	}
	return [
		{
			name: 'alloy_component_controller_running_components',
			type: 'gauge',
			help: 'Total number of running components.',
			samples: [...running].map(([key, value]) => {
				const [moduleId, state] = key.split('\u0000') as [string, string]
				return { suffix: '', labels: [...controller(moduleId), ['health_type', state]], value }
			}),
		},
		{
			name: 'alloy_component_graph_connection',
			type: 'gauge',
			help: 'Indicates that two components are connected in the graph',
			samples: edges,
		},
	]
}

/** State of the configuration, as `vor run` knows it. */
export interface ConfigState {
	/** Of the last load, good or bad. */
	readonly successful: boolean
	/** Unix seconds of the last good load, 0 before it. */
	readonly lastSuccessSeconds: number
	readonly failures: number
	/** Hex SHA-256 of the active file, '' before the first load. */
	readonly sha256: string
}

export function configFamilies(state: ConfigState): MetricFamily[] {
	const families = [
		single(
			'alloy_config_last_load_successful',
			'gauge',
			'Config loaded successfully.',
			state.successful ? 1 : 0,
		),
		single(
			'alloy_config_last_load_success_timestamp_seconds',
			'gauge',
			'Timestamp of the last successful configuration load.',
			state.lastSuccessSeconds,
		),
		single('alloy_config_load_failures_total', 'counter', 'Configuration load failures.', state.failures),
	]
	if (state.sha256 !== '') {
		families.push(
			single('alloy_config_hash', 'gauge', 'Hash of the currently active config file.', 1, [
				['cluster_name', ''],
				['sha256', state.sha256],
			]),
		)
	}
	return families
}
