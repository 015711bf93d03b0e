import { expect, test } from 'vitest'
import { attributeKey, findAttribute } from '../../src/model/attributes.ts'
import type { ProcessFact } from '../../src/model/process-fact.ts'
import { hostFromRecord, hostToRecord, readHost } from '../../src/process/host.ts'
import { createResource } from '../../src/process/resource.ts'
import { instanceUuid } from '../../src/process/uuid.ts'

const host = {
	name: 'h',
	id: 'abc',
	arch: 'amd64',
	bootId: 'b',
	userName: (uid: number) => (uid === 5 ? 'eva' : ''),
}

const fact: ProcessFact = {
	pid: 42,
	startNs: 5_000_000_000,
	parentPid: 1,
	comm: 'node',
	executable: '/usr/bin/node',
	commandLine: ['node', 'secret'],
	language: 'nodejs',
	serviceName: 'shop',
	serviceNameSource: 'package',
	serviceNamespace: 'eu',
	serviceVersion: '1.2.3',
	resourceAttributes: {
		'deployment.environment.name': 'prod',
		'host.name': 'theirs',
		'telemetry.sdk.name': 'x',
	},
	containerId: '',
	ownerUid: 5,
	listenPorts: [],
	selection: 'selected',
	selectionReason: '',
	exportsOtlp: 'none',
	exitNs: 0,
}

test('a resource says who, where and by whom', () => {
	const { attributes, ...rest } = createResource(fact, host)
	const get = (name: string) => findAttribute(attributes, attributeKey(name))
	expect(rest).toMatchObject({ serviceName: 'shop', serviceNamespace: 'eu', encoded: undefined })
	expect(get('service.name')).toBe('shop')
	expect(get('service.version')).toBe('1.2.3')
	expect(get('service.instance.id')).toBe(rest.serviceInstanceId)
	expect(get('telemetry.sdk.language')).toBe('nodejs')
	expect(get('telemetry.sdk.name')).toBe('vor')
	expect(get('telemetry.distro.name')).toBe('vor')
	expect(get('process.pid')).toBe(42)
	expect(get('process.executable.name')).toBe('node')
	expect(get('process.owner')).toBe('eva')
	expect(get('os.type')).toBe('linux')
	expect(get('deployment.environment.name')).toBe('prod')
	expect(get('host.name')).toBe('theirs')
	expect(get('container.id')).toBeUndefined()
	expect(get('process.command_args')).toBeUndefined()
	const asked = createResource(fact, host, { commandArgs: true }).attributes
	expect(findAttribute(asked, attributeKey('process.command_args'))).toEqual(['node', 'secret'])
})

test('the instance id is the same for a start time known to 10 ms and to the nanosecond, and differs by process', () => {
	const id = (change: Partial<ProcessFact>) => createResource({ ...fact, ...change }, host).serviceInstanceId
	expect(id({ startNs: 5_000_000_001 })).toBe(id({}))
	expect(id({ startNs: 5_010_000_000 })).not.toBe(id({}))
	expect(id({ pid: 43 })).not.toBe(id({}))
	expect(id({ resourceAttributes: { 'service.instance.id': 'mine' } })).toBe('mine')
})

test('the id is a version 5 UUID in the namespace of the conventions', () => {
	// Independent reckoning: python3 -c "import uuid; print(uuid.uuid5(uuid.UUID('4d63009a-8d0f-11ee-aad7-4c796ed8e320'), 'x'))"
	expect(instanceUuid('x')).toBe('6833eec6-9f91-52e2-b2eb-7999ad7f5cc4')
})

test('a host survives its way through a recording', () => {
	const { userName: _, ...own } = readHost()
	expect(own.name).not.toBe('')
	expect(hostFromRecord(hostToRecord(readHost()))).toMatchObject(own)
})
