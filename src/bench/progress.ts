/** How far a run is and how long it will take, on a stream that is not the report's. */
export interface Progress {
	/** The next part, with the time that it should take. */
	begin(title: string, estimateMs: number): void
	/** 0 to 1 of the part under way. */
	part(done: number): void
	/** A line that stays. */
	note(text: string): void
	end(): void
}

export interface ProgressOptions {
	readonly write: (text: string) => void
	/** Redraw one line; else a line for each part. */
	readonly inPlace: boolean
	readonly totalMs: number
	readonly now?: () => number
}

/** Measured and expected time are compared once so much was expected. */
const TRUST_MS = 3000

export function createProgress({ write, inPlace, totalMs, now = Date.now }: ProgressOptions): Progress {
	const start = now()
	let doneMs = 0
	let title = ''
	let estimateMs = 0
	let fraction = 0
	const left = (): string => {
		const expected = doneMs + estimateMs * fraction
		// Parts run at the pace of the parts before them.
		const pace = expected > TRUST_MS ? (now() - start) / expected : 1
		return `about ${durationText(Math.max(0, totalMs - expected) * pace)} left`
	}
	const draw = (): void => {
		const percent = Math.min(99, Math.floor(((doneMs + estimateMs * fraction) / totalMs) * 100))
		write(`\r\u001b[K${String(percent).padStart(2)} %  ${title}, ${left()}`)
	}
	return {
		begin(next, estimate) {
			doneMs += estimateMs
			title = next
			estimateMs = estimate
			fraction = 0
			if (inPlace) draw()
			else write(`${title}, ${left()}\n`)
		},
		part(done) {
			fraction = Math.min(1, done)
			if (inPlace) draw()
		},
		note: (text) => write(inPlace ? `\r\u001b[K${text}\n` : `${text}\n`),
		end() {
			if (inPlace) write('\r\u001b[K')
		},
	}
}

export function durationText(ms: number): string {
	const seconds = Math.round(ms / 1000)
	if (seconds < 60) return `${seconds} s`
	return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
