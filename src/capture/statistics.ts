/** What a capture counts itself, since its start. Owned by the capture; its parts add to it. */
export interface CaptureStatistics {
	drains: number
	bytes: number
	records: number
	wakeups: number
	/** Records that were not as the contract says. */
	malformed: number
	/** Sites of uprobes attached, and refused. */
	probesAttached: number
	probesRefused: number
	/** Runs of the sweep that failed. */
	sweepFailures: number
	/** Entries of the kernel's process table that could not be written. */
	selectionFailures: number
}

export function newStatistics(): CaptureStatistics {
	return {
		drains: 0,
		bytes: 0,
		records: 0,
		wakeups: 0,
		malformed: 0,
		probesAttached: 0,
		probesRefused: 0,
		sweepFailures: 0,
		selectionFailures: 0,
	}
}
