import type { Resource } from '../model/resource.ts'
import { type SeriesBudget, Side } from './side.ts'

/** The RED state of one resource (one process, as a rule). */
export class ServiceSeries {
	/** The newest object with these attributes. */
	resource: Resource
	readonly pid: number
	readonly startNs: number
	readonly server: Side
	readonly client: Side
	/** Boot-clock ns of the exit, or of being replaced by a new resource; 0 = alive. */
	goneNs = 0

	constructor(resource: Resource, pid: number, startNs: number, budget: SeriesBudget) {
		this.resource = resource
		this.pid = pid
		this.startNs = startNs
		this.server = new Side(budget)
		this.client = new Side(budget)
	}

	get seriesCount(): number {
		return this.server.series.size + this.client.series.size
	}
}

/** Two Resource objects that say the same are one identity for the backend. */
export function sameResource(a: Resource, b: Resource): boolean {
	if (a === b) return true
	const x = a.attributes
	const y = b.attributes
	if (x.length !== y.length) return false
	for (let i = 0; i < x.length; i++) {
		if (x[i] !== y[i] && JSON.stringify(x[i]) !== JSON.stringify(y[i])) return false
	}
	return true
}
