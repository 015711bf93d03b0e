import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * Keeps V8's young generation from growing beyond `bytes` (both halves), which it would by doubling up to 32 MB. What lives
 * here is a batch: a few hundred spans that are bytes before the next collection, so more room saves no work, it is only
 * memory that is held. Node has a flag for it (`--max-semi-space-size`) that only a command line can give. Returns an undo.
 *
 * A collection is told of within two turns of the event loop: the limit holds as long as those allocate less than half of it,
 * which a turn of the drain does by far.
 */
export function limitYoungGeneration(bytes: number): () => void {
	// V8 puts the factor back to 2 whenever a worker thread starts: looked at after every collection, some ten a second.
	const stop = () => {
		if (youngBytes() >= bytes) setFlagsFromString('--semi-space-growth-factor=1')
	}
	const observer = new PerformanceObserver(stop)
	stop()
	observer.observe({ entryTypes: ['gc'] })
	return () => {
		observer.disconnect()
		setFlagsFromString('--semi-space-growth-factor=2')
	}
}

function youngBytes(): number {
	return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0
}
