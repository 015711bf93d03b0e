import { type AttributeList, type AttributeValue, attributeKey } from '../../../model/attributes.ts'
import type { ProcessFact } from '../../../model/process-fact.ts'
import type { Resource } from '../../../model/resource.ts'

export interface IdentityOverrides {
	/** `attributes.instance_id.override_hostname`, '' = none. */
	readonly hostName: string
	/** `attributes.host_id.override`, '' = none. */
	readonly hostId: string
}

/** Resources with the host's name or id as the configuration says. What a program says of itself still wins. */
export function overrideIdentity(
	resourceOf: (fact: ProcessFact) => Resource,
	{ hostName, hostId }: IdentityOverrides,
): (fact: ProcessFact) => Resource {
	if (hostName === '' && hostId === '') return resourceOf
	return (fact) => {
		const resource = resourceOf(fact)
		const overrides = new Map<string, AttributeValue>()
		if (hostName !== '') {
			overrides.set('host.name', hostName)
			overrides.set('service.instance.id', `${hostName}:${fact.pid}`)
		}
		if (hostId !== '') overrides.set('host.id', hostId)
		for (const name of Object.keys(fact.resourceAttributes)) overrides.delete(name)
		const instance = overrides.get('service.instance.id')
		return {
			...resource,
			attributes: replaced(resource.attributes, overrides),
			serviceInstanceId: typeof instance === 'string' ? instance : resource.serviceInstanceId,
			encoded: undefined,
		}
	}
}

function replaced(list: AttributeList, overrides: ReadonlyMap<string, AttributeValue>): AttributeList {
	const out = [...list]
	const left = new Map(overrides)
	for (let i = 0; i < out.length; i += 2) {
		const { name } = out[i] as { readonly name: string }
		const value = left.get(name)
		if (value === undefined) continue
		out[i + 1] = value
		left.delete(name)
	}
	for (const [name, value] of left) out.push(attributeKey(name), value)
	return out
}
