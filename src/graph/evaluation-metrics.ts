import type { MetricRegistry } from '../telemetry/registry.ts'

/** What Alloy's controller tells of its evaluations. All modules are counted under the root: they come and go. */
export interface EvaluationMetrics {
	/** A configuration is being prepared, or no longer. */
	evaluating(on: boolean): void
	/** One node was evaluated, in `ms`. */
	evaluated(ms: number): void
	/** A change waited `ms` before what refers to it was evaluated. */
	waited(ms: number): void
	/** Nodes that wait to be evaluated. */
	queued(count: number): void
}

/** Seconds; Prometheus' defaults, as Alloy has them. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const names = ['controller_id', 'controller_path']
const root = ['', '/'] as const

export const noEvaluationMetrics: EvaluationMetrics = {
	evaluating() {},
	evaluated() {},
	waited() {},
	queued() {},
}

export function createEvaluationMetrics(registry: MetricRegistry): EvaluationMetrics {
	const evaluating = registry.gauge(
		'alloy_component_controller_evaluating',
		'Tracks if the controller is currently in the middle of a graph evaluation',
		names,
	)
	const queue = registry.gauge(
		'alloy_component_evaluation_queue_size',
		'Tracks the number of components waiting to be evaluated in the worker pool',
		names,
	)
	const evaluation = registry.histogram(
		'alloy_component_evaluation_seconds',
		'Time spent performing component evaluation',
		bounds,
		names,
	)
	const wait = registry.histogram(
		'alloy_component_dependencies_wait_seconds',
		'Time spent by components waiting to be evaluated after their dependency is updated.',
		bounds,
		names,
	)
	let depth = 0
	evaluating.set(0, ...root)
	queue.set(0, ...root)
	return {
		evaluating(on) {
			depth += on ? 1 : -1
			evaluating.set(depth > 0 ? 1 : 0, ...root)
		},
		evaluated: (ms) => evaluation.observe(ms / 1000, ...root),
		waited: (ms) => wait.observe(ms / 1000, ...root),
		queued: (count) => queue.set(count, ...root),
	}
}
