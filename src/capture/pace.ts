/**
 * When the rings are drained next: on a timer that follows the load, or at once when something asks for it. One turn of
 * the event loop is one drain, so that nothing else waits for more than one batch.
 */
export interface Pace {
	/** The first drain, synchronously. */
	start(): void
	/** The next drain comes with the next round of the event loop. Nothing before start() and after stop(). */
	hurry(): void
	/** Safe twice, within a drain, too. */
	stop(): void
}

export interface Drained {
	/** Returns the bytes drained. */
	once(): number
	/** The last drain left something behind. */
	readonly more: boolean
	/** Bytes that the ring of records holds. */
	readonly ringBytes: number
}

/** `minMs`, `maxMs`: the bounds of the timer. */
export function createPace(drained: Drained, minMs: number, maxMs: number): Pace {
	let interval = minMs
	let running = false
	let timer: NodeJS.Timeout | undefined
	let immediate: NodeJS.Immediate | undefined
	function turn(): void {
		timer = undefined
		immediate = undefined
		if (!running) return
		const bytes = drained.once()
		if (!running) return
		if (drained.more) {
			immediate ??= setImmediate(turn)
			return
		}
		// A ring that fills by more than 1/32 in one interval is emptied as often as allowed; an idle one ever more rarely.
		if (bytes > drained.ringBytes / 32) interval = minMs
		else if (bytes === 0) interval = Math.min(interval * 1.5, maxMs)
		if (immediate === undefined) timer = setTimeout(turn, interval)
	}
	return {
		start() {
			running = true
			turn()
		},
		hurry() {
			if (!running || immediate !== undefined) return
			clearTimeout(timer)
			timer = undefined
			immediate = setImmediate(turn)
		},
		stop() {
			running = false
			clearTimeout(timer)
			clearImmediate(immediate)
			timer = undefined
			immediate = undefined
		},
	}
}
