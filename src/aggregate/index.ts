export {
	type AggregateCounters,
	type Aggregator,
	type AggregatorOptions,
	createAggregator,
} from './aggregator.ts'
export type { UnreadableCount } from './unreadable.ts'
