/** What `GET /api/v0/top` answers and `vor top` draws: the services seen lately, busiest first. */
export interface TopSnapshot {
	/** Unix ms of the reading. */
	readonly timeMs: number
	/** Seconds that rates and quantiles cover; 0 on the first reading, when they cover the time since the start. */
	readonly windowSeconds: number
	readonly services: readonly TopService[]
	/** Since the start: spans exported or handed on, items dropped with the reason, filtered ones left out. */
	readonly spans: number
	readonly dropped: readonly { readonly reason: string; readonly count: number }[]
}

export interface TopService {
	readonly service: string
	readonly namespace: string
	/** `telemetry.sdk.language` of its programs, '' where not known. */
	readonly language: string
	/** Requests it answered; null when it answered none. */
	readonly in: TopSide | null
	/** Requests it made; null when it made none. */
	readonly out: TopSide | null
	/** Connections that are seen but cannot be read. */
	readonly unreadable: readonly { readonly protocol: string; readonly connections: number }[]
}

export interface TopSide {
	/** Since the start. */
	readonly requests: number
	readonly errors: number
	/** In the window. */
	readonly requestsPerSecond: number
	/** Share of the window's requests with `error.type`, 0 … 1. */
	readonly errorRatio: number
	/** null when the window has no request. */
	readonly p50: TopQuantile | null
	readonly p95: TopQuantile | null
	readonly p99: TopQuantile | null
}

/**
 * `at`: interpolated inside its bucket, as Prometheus does. `below`, `above`: it lies in the first or the last bucket, and
 * only "less than the first bound" or "more than the last" is known.
 */
export interface TopQuantile {
	readonly seconds: number
	readonly place: 'at' | 'below' | 'above'
}
