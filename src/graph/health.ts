export type HealthState = 'healthy' | 'unknown' | 'unhealthy' | 'exited'

export interface Health {
	readonly state: HealthState
	readonly message: string
	readonly updated: Date
}

const rank: Readonly<Record<HealthState, number>> = { healthy: 0, unknown: 1, unhealthy: 2, exited: 3 }

/** Orders reports that fall into the same millisecond. */
let sequence = 0

interface Report extends Health {
	readonly order: number
}

/** Health of one node from its three sources: evaluation, life cycle, and what the component says itself. */
export class HealthBook {
	#evaluation: Report = report('unknown', 'component created')
	#run: Report = report('unknown', '')
	#own: Report | undefined

	evaluated(state: HealthState, message: string): void {
		this.#evaluation = report(state, message)
	}

	running(state: HealthState, message: string, moment?: number): void {
		this.#run = report(state, message, moment)
	}

	/** A place in the order of reports for one that is made later. */
	moment(): number {
		return ++sequence
	}

	reported(state: HealthState, message: string): void {
		this.#own = report(state, message)
	}

	/** Why an evaluation after `moment` failed. */
	failedSince(moment: number): string | undefined {
		const { order, state, message } = this.#evaluation
		return order > moment && state === 'unhealthy' ? message : undefined
	}

	/** The least healthy report; among equals the newest. */
	get current(): Health {
		let worst = this.#evaluation
		const others = this.#run.message === '' ? [this.#own] : [this.#run, this.#own]
		for (const one of others) {
			if (one === undefined) continue
			if (rank[one.state] > rank[worst.state] || (one.state === worst.state && one.order > worst.order))
				worst = one
		}
		return worst
	}
}

const report = (state: HealthState, message: string, order = ++sequence): Report => ({
	state,
	message,
	updated: new Date(),
	order,
})
