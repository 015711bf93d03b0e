import { randomUUID } from 'node:crypto'
import { createBootClock } from '../capture/clock.ts'
import { fanOutTraces } from '../flow/fan-out.ts'
import type { TelemetryConsumer } from '../flow/ports.ts'
import type { TracingArgs } from '../graph/config-blocks.ts'
import { type AttributeList, type AttributeValue, attributeKey } from '../model/attributes.ts'
import type { Resource } from '../model/resource.ts'
import type { HostFact } from '../process/index.ts'
import type { Accounting } from '../telemetry/accounting.ts'
import { OwnTracer, type TracingSettings } from '../telemetry/tracer.ts'
import { version } from '../util/version.ts'

/** Vör's traces of itself: this process, on this host. */
export const createOwnTracer = (host: HostFact, accounting: Accounting): OwnTracer =>
	new OwnTracer({ accounting, clock: createBootClock, resource: () => ownResource(host) })

/** What the `tracing` block says. */
export function tracingSettings(args: TracingArgs): TracingSettings {
	const ports = args.write_to.filter((port): port is TelemetryConsumer => port !== undefined)
	const target = fanOutTraces(ports)
	return {
		fraction: args.sampling_fraction,
		sendTraceparent: args.send_traceparent,
		emit: ports.length === 0 ? undefined : (batch) => target.next(batch),
	}
}

function ownResource(host: HostFact): Resource {
	const instance = randomUUID()
	const values: readonly (readonly [string, AttributeValue])[] = [
		['service.name', 'vor'],
		['service.version', version()],
		['service.instance.id', instance],
		['telemetry.sdk.language', 'nodejs'],
		['telemetry.sdk.name', 'vor'],
		['telemetry.sdk.version', version()],
		['telemetry.distro.name', 'vor'],
		['telemetry.distro.version', version()],
		['process.pid', process.pid],
		['process.runtime.name', 'nodejs'],
		['process.runtime.version', process.versions.node],
		['host.name', host.name],
		['host.id', host.id],
		['host.arch', host.arch],
		['os.type', 'linux'],
	]
	const attributes: AttributeList = []
	for (const [name, value] of values) if (value !== '') attributes.push(attributeKey(name), value)
	return {
		attributes,
		serviceName: 'vor',
		serviceNamespace: '',
		serviceInstanceId: instance,
		encoded: undefined,
	}
}
