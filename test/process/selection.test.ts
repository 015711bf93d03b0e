import { expect, test } from 'vitest'
import {
	type Candidate,
	compileSelection,
	evaluate,
	type SelectionSource,
} from '../../src/process/selection.ts'

const shop: Candidate = {
	pid: 100,
	executable: '/usr/bin/python3.11',
	commandLine: ['python3', '/srv/shop/app.py', '--port=8080'],
	language: 'python',
	inContainer: false,
	listenPorts: [8080],
	isSelf: false,
}

function decide(source: SelectionSource, change: Partial<Candidate> = {}) {
	const { rules, errors } = compileSelection(source)
	expect(errors).toEqual([])
	return evaluate(rules, { ...shop, ...change })
}

test('without an instrument entry everything is selected', () => {
	expect(decide({}).selection).toBe('selected')
})

test('conditions of one entry are ANDed', () => {
	const instrument = [{ openPorts: '8000-8999', exePath: '*python*' }]
	expect(decide({ instrument }).selection).toBe('selected')
	expect(decide({ instrument }, { executable: '/usr/bin/node' }).selection).toBe('rejected')
	expect(decide({ instrument }, { listenPorts: [9000] }).selection).toBe('rejected')
})

test('entries are ORed, and the last one that matches names the service', () => {
	const instrument = [
		{ exePath: '*python*', name: 'first', namespace: 'one' },
		{ openPorts: '8080', name: 'second' },
		{ openPorts: '1', name: 'third' },
	]
	expect(decide({ instrument })).toMatchObject({ selection: 'selected', name: 'second', namespace: '' })
})

test('an exclude entry wins over every instrument entry', () => {
	const source = { instrument: [{ openPorts: '8080' }], excludeInstrument: [{ cmdArgs: '*shop*' }] }
	expect(decide(source)).toMatchObject({
		selection: 'rejected',
		reason: expect.stringContaining('cmd_args *shop*'),
	})
})

test('collectors, Alloy and Beyla are excluded by default, system paths are not', () => {
	for (const executable of [
		'/usr/bin/alloy',
		'/opt/beyla',
		'/bin/otelcol-contrib',
		'/usr/bin/otelcol',
		'/bin/obi',
	]) {
		expect(decide({}, { executable }).selection, executable).toBe('rejected')
	}
	for (const executable of ['/usr/sbin/nginx', '/usr/libexec/x', '/lib/systemd/y', '/usr/bin/mobi']) {
		expect(decide({}, { executable }).selection, executable).toBe('selected')
	}
	expect(decide({ defaultExcludeInstrument: [] }, { executable: '/usr/bin/alloy' }).selection).toBe(
		'selected',
	)
})

test('Vör itself is rejected whatever the rules say', () => {
	expect(decide({ instrument: [{ exePath: '*' }] }, { isSelf: true })).toMatchObject({
		reason: 'is Vör itself',
	})
})

test('languages, pids and containers are conditions too', () => {
	expect(decide({ instrument: [{ languages: '{go,python}' }] }).selection).toBe('selected')
	expect(decide({ instrument: [{ languages: 'go' }] }).selection).toBe('rejected')
	expect(decide({ instrument: [{ targetPids: [100] }] }).selection).toBe('selected')
	expect(decide({ instrument: [{ targetPids: [101] }] }).selection).toBe('rejected')
	expect(decide({ instrument: [{ containersOnly: true }] }).selection).toBe('rejected')
	expect(decide({ instrument: [{ containersOnly: true }] }, { inContainer: true }).selection).toBe('selected')
})

test('who lacks only the port is told apart from who matches nothing', () => {
	const source = { instrument: [{ openPorts: '9999', exePath: '*python*' }] }
	expect(decide(source).awaitsPort).toBe(true)
	expect(decide(source, { executable: '/bin/x' }).awaitsPort).toBe(false)
})

test('an entry without a condition matches nothing', () => {
	expect(decide({ instrument: [{ name: 'x' }] }).selection).toBe('rejected')
	expect(decide({ excludeInstrument: [{}] }).selection).toBe('selected')
})

test('everything that is wrong with the rules is said at once', () => {
	const { errors } = compileSelection({
		instrument: [{ openPorts: '80-', exePath: '[' }, { openPorts: '70000' }],
		excludeInstrument: [{ cmdArgs: '{' }],
	})
	expect(errors).toHaveLength(4)
	expect(errors[0]).toContain('instrument[0]')
	expect(errors[3]).toContain('exclude_instrument[0]')
})
