import { type AttributeList, attributeKey } from '../model/attributes.ts'
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
	/** Time of the newest batch that brought it anything. */
	usedNs = 0

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

/** Service names kept apart in the crowd; the rest share one. */
const CROWD_NAMES = 256
const REST = '_other'
const SERVICE_NAME = attributeKey('service.name')
const SERVICE_NAMESPACE = attributeKey('service.namespace')

/** Processes beyond the limit of all series, together: one resource a service name, without an instance. */
export interface Crowd {
	of(resource: Resource): ServiceSeries
	all(): Iterable<ServiceSeries>
}

export function createCrowd(budget: SeriesBudget): Crowd {
	const services = new Map<string, ServiceSeries>()
	return {
		of({ serviceName, serviceNamespace }) {
			let name = `${serviceNamespace}\u0000${serviceName}`
			let service = services.get(name)
			if (service !== undefined) return service
			const full = services.size >= CROWD_NAMES
			if (full) name = REST
			service = services.get(name)
			if (service === undefined) {
				const resource = full ? crowdResource(REST, '') : crowdResource(serviceName, serviceNamespace)
				service = new ServiceSeries(resource, 0, 0, budget)
				services.set(name, service)
			}
			return service
		},
		all: () => services.values(),
	}
}

function crowdResource(serviceName: string, serviceNamespace: string): Resource {
	const attributes: AttributeList = [SERVICE_NAME, serviceName]
	if (serviceNamespace !== '') attributes.push(SERVICE_NAMESPACE, serviceNamespace)
	return { attributes, serviceName, serviceNamespace, serviceInstanceId: '', encoded: undefined }
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
