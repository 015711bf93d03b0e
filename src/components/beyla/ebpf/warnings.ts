import { ignoredArguments } from '../../common/ignored.ts'
import { asksKubernetes } from './args/discovery.ts'
import { RED_FEATURES } from './args/names.ts'
import type { BeylaArgs } from './args.ts'
import { args as schema } from './args.ts'

/** What is written and has no effect in Vör yet, each named. Alloy's defaults written out are not worth a word. */
export function warningsOf(args: BeylaArgs): readonly string[] {
	const ignored = ignoredArguments(schema, args).map((path) => `${path} is known but has no effect yet`)
	const features = args.metrics.features
		.filter((feature) => !RED_FEATURES.has(feature))
		.map((feature) => `metrics.features "${feature}" is known but gives no metrics yet`)
	const words = [
		...wordWarning('metrics.instrumentations', args.metrics.instrumentations),
		...wordWarning('traces.instrumentations', args.traces.instrumentations),
	]
	const { discovery } = args
	const kubernetes = [
		...discovery.instrument,
		...discovery.services,
		...discovery.exclude_instrument,
		...discovery.exclude_services,
	].some(asksKubernetes)
		? ['a discovery entry with Kubernetes conditions matches nothing yet']
		: []
	const metadata =
		args.attributes?.kubernetes?.enable === 'true' ? ['attributes.kubernetes.enable has no effect yet'] : []
	return [...ignored, ...features, ...words, ...kubernetes, ...metadata]
}

const wordWarning = (path: string, words: readonly string[]): readonly string[] =>
	words.filter((word) => word !== '*' && word !== 'http').map((word) => `${path} "${word}" is not read yet`)
