import type { KernelObject } from './kernel-object.ts'
import type { CaptureOptions } from './options.ts'
import type { CaptureStatistics } from './statistics.ts'

/** Looks for connections that ended unseen, where no hook sees the close: the kernel's own iterator over their states. */
export interface Sweep {
	/** Off the main thread; nothing happens while one is under way, or where the form has none. */
	run(): void
	/** No run begins any more, and a failure of the last is no news. */
	stop(): void
}

const PROGRAM = 'vor_sweep'
/** Connections whose state is not on the socket: all of the hash form, unix sockets of the other. */
const SWEPT = 'vor_conn_hash'

export function createSweep(
	{ object }: KernelObject,
	statistics: Pick<CaptureStatistics, 'sweepFailures'>,
	notice: CaptureOptions['notice'],
): Sweep {
	const exists = object.programs.some(({ name }) => name === PROGRAM)
	let running = false
	let stopped = false
	return {
		run() {
			if (!exists || running || stopped) return
			running = true
			object
				.program(PROGRAM)
				.runIterator({ map: object.map(SWEPT) })
				.then(
					() => {
						running = false
					},
					(reason: unknown) => {
						running = false
						if (statistics.sweepFailures++ === 0 && !stopped) {
							notice?.('warn', `the sweep of connections failed: ${String(reason)}`)
						}
					},
				)
		},
		stop() {
			stopped = true
		},
	}
}
