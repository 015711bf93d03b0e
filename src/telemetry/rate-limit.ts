/**
 * At most one `act` in `intervalMs`; it is told how many calls were swallowed since the last one. For log lines that an
 * outside event may repeat without end. Count the event itself in a metric: this only thins the log.
 */
export function rateLimited(
	intervalMs: number,
	act: (suppressed: number) => void,
	now: () => number = () => performance.now(),
): () => void {
	let last = Number.NEGATIVE_INFINITY
	let suppressed = 0
	return () => {
		const time = now()
		if (time - last < intervalMs) {
			suppressed++
			return
		}
		last = time
		const count = suppressed
		suppressed = 0
		act(count)
	}
}
