import type { Logger } from '../telemetry/log.ts'
import type { GrpcFailure } from './grpc-failure.ts'

const SUMMARY_MS = 30_000

/**
 * What the log says about a backend: one precise line when it begins to fail, a summary every 30 s while it lasts, one
 * line when it is over. Every failure is counted elsewhere; this only tells the story.
 */
export interface OutageLog {
	failed(failure: GrpcFailure): void
	succeeded(): void
	dropped(items: number, reason: string): void
	/** The backend took the request but says something about it. */
	warned(message: string, rejected: number): void
}

export function createOutageLog(
	log: Logger,
	where: { readonly endpoint: string; readonly signal: string },
	held: () => number,
	now: () => number = () => performance.now(),
): OutageLog {
	let since: number | undefined
	/** The log knows of this outage; one that begins right after another is not told at once. */
	let announced = false
	let lastCode = ''
	let lastLine = Number.NEGATIVE_INFINITY
	let failures = 0
	let dropped = 0
	let lastDropLine = Number.NEGATIVE_INFINITY
	let lastWarning = Number.NEGATIVE_INFINITY

	function begin(failure: GrpcFailure): void {
		log.warn(failure.retryable ? 'export fails, will try again' : 'export refused, data is dropped', {
			...where,
			code: failure.code,
			err: failure.message,
			...(failure.fix === '' ? {} : { fix: failure.fix }),
		})
	}

	return {
		failed(failure) {
			const time = now()
			failures++
			since ??= time
			// News is the first failure, and another code; a backend that alternates must not fill the log.
			const news = failure.code !== lastCode && time - lastLine >= 1000
			if (!news && time - lastLine < SUMMARY_MS) return
			lastLine = time
			lastCode = failure.code
			if (news || !announced) {
				announced = true
				begin(failure)
				return
			}
			log.warn('export still fails', {
				...where,
				code: failure.code,
				seconds: Math.round((time - since) / 1000),
				failed_attempts: failures,
				held_items: held(),
				dropped_items: dropped,
			})
		},
		succeeded() {
			if (since === undefined) return
			if (announced) {
				log.info('export works again', {
					...where,
					seconds: Math.round((now() - since) / 1000),
					failed_attempts: failures,
					held_items: held(),
					dropped_items: dropped,
				})
			}
			since = undefined
			announced = false
			failures = 0
			dropped = 0
		},
		dropped(items, reason) {
			dropped += items
			const time = now()
			if (time - lastDropLine < SUMMARY_MS) return
			lastDropLine = time
			log.error('telemetry dropped', { ...where, reason, items })
		},
		warned(message, rejected) {
			const time = now()
			if (time - lastWarning < SUMMARY_MS) return
			lastWarning = time
			log.warn('the backend took only part of a request', {
				...where,
				rejected_items: rejected,
				err: message,
			})
		},
	}
}
