import { Observable, type Observer, type OperatorFunction } from 'rxjs'

/** CPU time a stage took, for the benchmark and `vor_component_busy_seconds_total`. */
export interface StageTimer {
	/** Nanoseconds of a monotonic clock. */
	now(): number
	busyNs: number
	batches: number
}

export function createStageTimer(now: () => number = () => performance.now() * 1e6): StageTimer {
	return { now, busyNs: 0, batches: 0 }
}

/**
 * Runs a synchronous engine over a stream of batches; one batch in, any number out. A throw of the engine is an error of
 * the stream: engines do not throw on data.
 */
export function stage<In, Out>(
	process: (batch: In) => readonly Out[],
	timer?: StageTimer,
): OperatorFunction<In, Out> {
	return (source) =>
		new Observable<Out>((subscriber) =>
			source.subscribe({
				next(batch) {
					const from = timer?.now() ?? 0
					let batches: readonly Out[]
					try {
						batches = process(batch)
					} catch (reason) {
						subscriber.error(reason)
						return
					}
					if (timer !== undefined) {
						timer.busyNs += timer.now() - from
						timer.batches++
					}
					for (const out of batches) subscriber.next(out)
				},
				error: (reason: unknown) => subscriber.error(reason),
				complete: () => subscriber.complete(),
			}),
		)
}

/** The same for an observer at the end of the line. */
export function sink<In>(process: (batch: In) => void, onError: (reason: unknown) => void): Observer<In> {
	return {
		next(batch) {
			try {
				process(batch)
			} catch (reason) {
				onError(reason)
			}
		},
		error: onError,
		complete() {},
	}
}
