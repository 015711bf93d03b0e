export {
	createPropagator,
	type PropagateCounters,
	type Propagator,
	type PropagatorOptions,
} from './propagator.ts'
