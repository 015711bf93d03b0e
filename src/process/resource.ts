import { type AttributeList, type AttributeValue, attributeKey } from '../model/attributes.ts'
import type { ProcessFact } from '../model/process-fact.ts'
import type { Resource } from '../model/resource.ts'
import { version } from '../util/version.ts'
import type { HostFact } from './host.ts'
import { RUNTIME_NAMES } from './language.ts'
import { baseName } from './service-name.ts'
import { instanceUuid } from './uuid.ts'

export interface ResourceOptions {
	/** argv often holds secrets: off unless asked for. */
	readonly commandArgs?: boolean
}

/** `resourceOf` of the correlator. */
export function createResourceBuilder(
	host: HostFact,
	options: ResourceOptions = {},
): (fact: ProcessFact) => Resource {
	return (fact) => createResource(fact, host, options)
}

/** /proc tells start times to 10 ms only: the id is made of what both sources agree on. */
const TICK_NS = 1e7

export function createResource(fact: ProcessFact, host: HostFact, options: ResourceOptions = {}): Resource {
	const instance = instanceUuid(
		`${host.id}/${host.bootId}/${fact.containerId}/${fact.pid}/${Math.floor(fact.startNs / TICK_NS)}`,
	)
	const values = new Map<string, AttributeValue>()
	const put = (name: string, value: AttributeValue): void => {
		if (value !== '') values.set(name, value)
	}
	put('service.name', fact.serviceName)
	put('service.namespace', fact.serviceNamespace)
	put('service.version', fact.serviceVersion)
	put('service.instance.id', instance)
	put('telemetry.sdk.language', fact.language)
	put('telemetry.sdk.name', 'vor')
	put('telemetry.sdk.version', version())
	put('telemetry.distro.name', 'vor')
	put('telemetry.distro.version', version())
	put('process.pid', fact.pid)
	put('process.executable.name', baseName(fact.executable))
	put('process.executable.path', fact.executable)
	if (options.commandArgs === true && fact.commandLine.length > 0) {
		put('process.command_args', fact.commandLine)
	}
	put('process.owner', host.userName(fact.ownerUid))
	put('process.runtime.name', RUNTIME_NAMES[fact.language] ?? '')
	put('host.name', host.name)
	put('host.id', host.id)
	put('host.arch', host.arch)
	put('os.type', 'linux')
	put('container.id', fact.containerId)
	// What the program says of itself wins over what we saw.
	for (const [name, value] of Object.entries(fact.resourceAttributes)) {
		if (!name.startsWith('telemetry.')) put(name, value)
	}
	const attributes: AttributeList = []
	for (const [name, value] of values) attributes.push(attributeKey(name), value)
	const declared = fact.resourceAttributes['service.instance.id']
	return {
		attributes,
		serviceName: fact.serviceName,
		serviceNamespace: fact.serviceNamespace,
		serviceInstanceId: declared === undefined || declared === '' ? instance : declared,
		encoded: undefined,
	}
}
