import { asksKubernetes } from './args/discovery.ts'
import { RED_FEATURES } from './args/names.ts'
import type { BeylaArgs } from './args.ts'

/** Values that are known and have no effect in Vör yet. Names that have none are the graph's to warn of. */
export function warningsOf({ metrics, traces, discovery, attributes }: BeylaArgs): readonly string[] {
	const entries = [
		...discovery.instrument,
		...discovery.services,
		...discovery.exclude_instrument,
		...discovery.exclude_services,
	]
	return [
		...metrics.features
			.filter((feature) => !RED_FEATURES.has(feature))
			.map((feature) => `metrics.features "${feature}" is known but gives no metrics yet`),
		...unread('metrics.instrumentations', metrics.instrumentations),
		...unread('traces.instrumentations', traces.instrumentations),
		...(entries.some(asksKubernetes)
			? ['a discovery entry with Kubernetes conditions matches nothing yet']
			: []),
		...(attributes?.kubernetes?.enable === 'true' ? ['attributes.kubernetes.enable has no effect yet'] : []),
	]
}

const unread = (path: string, words: readonly string[]): readonly string[] =>
	words.filter((word) => word !== '*' && word !== 'http').map((word) => `${path} "${word}" is not read yet`)
