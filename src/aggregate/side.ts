import type { AttributeList } from '../model/attributes.ts'
import { KEY } from '../model/semconv.ts'
import { Series } from './series.ts'
import { canonicalKey } from './series-key.ts'

/** Counts the series of all resources, for the limit. */
export interface SeriesBudget {
	/** Per metric and resource, as the SDKs have it. */
	readonly perResource: number
	/** Over all resources: what memory allows. */
	readonly total: number
	used: number
	/** Exchanges that went into an overflow series. */
	overflowed: number
}

type ByPacked = Map<number, Series>

/** The RED series of one side (server or client) of one resource. */
export class Side {
	/** All distinct series, by what they say. */
	readonly series = new Map<string, Series>()
	readonly #fast = new Map<string, ByPacked>()
	readonly #byPort = new Map<number, Map<string, ByPacked>>()
	#overflow: Series | undefined
	readonly #budget: SeriesBudget

	constructor(budget: SeriesBudget) {
		this.#budget = budget
	}

	/** The way to a series that costs no string: by route (server), by port and address (client). */
	fast(name: string, port: number): ByPacked | undefined {
		return port === 0 ? this.#fast.get(name) : this.#byPort.get(port)?.get(name)
	}

	/** Only for series within the limit, so that these tables stay as small as it. */
	remember(name: string, port: number, packed: number, series: Series): void {
		let names = port === 0 ? this.#fast : this.#byPort.get(port)
		if (names === undefined) this.#byPort.set(port, (names = new Map()))
		const table = names.get(name)
		if (table === undefined) names.set(name, new Map([[packed, series]]))
		else table.set(packed, series)
	}

	/** The series with these attributes; the overflow series when the limit is reached. */
	resolve(attributes: AttributeList, startMs: number): { series: Series; overflow: boolean } {
		const key = canonicalKey(attributes)
		const known = this.series.get(key)
		if (known !== undefined) return { series: known, overflow: false }
		const budget = this.#budget
		// One place is kept for the overflow series itself.
		if (this.series.size >= budget.perResource - 1 || budget.used >= budget.total)
			return { series: this.#overflowSeries(startMs), overflow: true }
		const series = new Series(attributes, startMs)
		this.series.set(key, series)
		budget.used++
		return { series, overflow: false }
	}

	#overflowSeries(startMs: number): Series {
		if (this.#overflow === undefined) {
			const attributes: AttributeList = [KEY.otelMetricOverflow, true]
			this.#overflow = new Series(attributes, startMs)
			this.series.set(canonicalKey(attributes), this.#overflow)
			this.#budget.used++
		}
		return this.#overflow
	}
}
