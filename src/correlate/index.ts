export {
	type CorrelateCounters,
	type Correlator,
	type CorrelatorOptions,
	createCorrelator,
} from './correlator.ts'
export type { OtlpSignal } from './otlp-exporters.ts'
export { createRoutes, ROUTES_DEFAULTS, type RouteOptions } from './routes/index.ts'
