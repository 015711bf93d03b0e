import { expect, test } from 'vitest'
import type { ExecEvent, ForkEvent } from '../../src/model/process-event.ts'
import type { ScannedProcess } from '../../src/process/scan.ts'
import { compileSelection, type SelectionSource } from '../../src/process/selection.ts'
import { createProcessTable } from '../../src/process/table.ts'

const second = 1e9

function scanned(pid: number, change: Partial<ScannedProcess> = {}): ScannedProcess {
	return {
		pid,
		startTickNs: 100 * second,
		parentPid: 1,
		comm: 'server',
		executable: '/srv/server',
		executableKey: `1:${pid}`,
		commandLine: ['/srv/server'],
		otelEnv: [],
		sdkVariables: [],
		language: 'go',
		runtimeVersion: '',
		linkedExporters: 'none',
		packageName: '',
		packageVersion: '',
		containerId: '',
		inContainer: false,
		uid: 0,
		listenPorts: [],
		sites: [],
		...change,
	}
}

function exec(pid: number, args: string[], change: Partial<ExecEvent> = {}): ExecEvent {
	return {
		kind: 'exec',
		pid,
		startNs: 200 * second + 123,
		timeNs: 200 * second + 456,
		parentPid: 1,
		comm: args[0]?.split('/').at(-1) ?? '',
		filename: args[0] ?? '',
		args,
		env: [],
		exeDev: 0,
		exeInode: 0,
		netns: 0,
		...change,
	}
}

function setup(
	options: { all?: ScannedProcess[]; later?: Map<number, ScannedProcess>; rules?: SelectionSource } = {},
) {
	const asked: (readonly number[] | 'all')[] = []
	const table = createProcessTable({
		rules: compileSelection(options.rules ?? {}).rules,
		selfPid: 7,
		worker: {
			async scan(pids) {
				asked.push(pids)
				if (pids === 'all') return options.all ?? []
				return pids.flatMap((pid) => options.later?.get(pid) ?? [])
			},
			stop: async () => {},
		},
	})
	return { table, asked }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a program that lives for milliseconds is named from its exec record alone', () => {
	const { table } = setup()
	for (let pid = 1000; pid < 2000; pid++) {
		const startNs = 200 * second + pid * 1000
		table.apply({ ...exec(pid, ['curl', '-s', 'x']), filename: '/usr/bin/curl', startNs })
		table.apply({ kind: 'exit', pid, startNs, timeNs: startNs + 1000 })
	}
	const facts = table.takeFacts(201 * second)
	expect(facts).toHaveLength(1000)
	expect(new Set(facts.map((fact) => fact.serviceName))).toEqual(new Set(['curl']))
	expect(facts.every((fact) => fact.exitNs > 0 && fact.selection === 'selected')).toBe(true)
	expect(table.find(1500, 200 * second + 1500 * 1000)?.serviceName).toBe('curl')
})

test('a scanned process gets its exact start time from its first record, and its fact is told again', async () => {
	const { table } = setup({ all: [scanned(50)] })
	await table.start()
	expect(table.takeFacts(0)).toMatchObject([{ pid: 50, startNs: 100 * second, serviceName: 'server' }])
	table.see(50, 100 * second + 4_567_890)
	expect(table.takeFacts(0)).toMatchObject([
		{ pid: 50, startNs: 100 * second + 4_567_890, serviceName: 'server' },
	])
	table.see(50, 100 * second + 4_567_890)
	expect(table.takeFacts(0)).toEqual([])
	expect(table.counters.unannounced).toBe(0)
})

test('an image that is replaced before anyone was told of it is told of all the same, first', () => {
	const { table } = setup()
	const startNs = 300 * second
	table.apply(exec(52, ['/bin/fetch-secrets'], { startNs, timeNs: startNs + 1 }))
	table.apply(exec(52, ['/bin/shop'], { startNs, timeNs: startNs + 9 }))
	expect(table.takeFacts(301 * second).map(({ serviceName, imageNs }) => [serviceName, imageNs])).toEqual([
		['fetch-secrets', startNs + 1],
		['shop', startNs + 9],
	])
	expect(table.takeFacts(301 * second)).toEqual([])
})

test('a forked child is its parent until it execs', async () => {
	const { table } = setup({ all: [scanned(50, { listenPorts: [80], otelEnv: ['OTEL_SERVICE_NAME=shop'] })] })
	await table.start()
	const fork: ForkEvent = {
		kind: 'fork',
		pid: 51,
		startNs: 300 * second,
		timeNs: 300 * second,
		parentPid: 50,
		parentStartNs: 100 * second + 5,
		comm: 'server',
	}
	table.apply(fork)
	expect(table.find(51, 300 * second)).toMatchObject({
		serviceName: 'shop',
		listenPorts: [80],
		language: 'go',
	})
	table.apply(exec(51, ['/bin/tool'], { startNs: 300 * second, timeNs: 300 * second + 9 }))
	expect(table.find(51, 300 * second)).toMatchObject({
		serviceName: 'tool',
		listenPorts: [],
		language: 'generic',
	})
})

test('what /proc adds later changes the fact, and argv stays what was given to exec', async () => {
	const startTickNs = 200 * second
	const later = new Map([
		[
			60,
			scanned(60, {
				startTickNs,
				executable: '/usr/bin/node',
				language: 'nodejs',
				packageName: 'shop',
				commandLine: ['shop worker'],
			}),
		],
	])
	const { table, asked } = setup({ later })
	await table.start()
	table.apply(exec(60, ['node', 'server.js'], { filename: '/usr/bin/node' }))
	expect(table.takeFacts(0)).toMatchObject([
		{ serviceName: 'server', serviceNameSource: 'script', language: 'nodejs' },
	])
	await settled()
	expect(asked).toEqual(['all', [60]])
	expect(table.takeFacts(0)).toMatchObject([
		{ serviceName: 'shop', serviceNameSource: 'package', commandLine: ['node', 'server.js'] },
	])
})

test('a scan of another process under a used pid is not believed', async () => {
	const { table } = setup({ later: new Map([[60, scanned(60, { startTickNs: 150 * second })]]) })
	await table.start()
	table.apply(exec(60, ['/bin/tool']))
	table.takeFacts(0)
	await settled()
	expect(table.find(60, 200 * second + 123)).toMatchObject({ serviceName: 'tool' })
})

test('a used pid does not mix two processes, and the dead one is remembered for 30 s', () => {
	const { table } = setup()
	table.apply(exec(60, ['/bin/old']))
	table.apply(exec(60, ['/bin/new'], { startNs: 210 * second, timeNs: 210 * second }))
	expect(table.find(60, 200 * second + 123)).toMatchObject({ serviceName: 'old', exitNs: 210 * second })
	expect(table.find(60, 210 * second)).toMatchObject({ serviceName: 'new', exitNs: 0 })
	table.takeFacts(239 * second)
	expect(table.find(60, 200 * second + 123)).toBeDefined()
	table.takeFacts(241 * second)
	expect(table.find(60, 200 * second + 123)).toBeUndefined()
})

test('a record of a process that nobody announced is asked of /proc', async () => {
	const { table, asked } = setup({ later: new Map([[70, scanned(70)]]) })
	await table.start()
	table.see(70, 100 * second + 3)
	expect(table.takeFacts(0)).toMatchObject([{ pid: 70, serviceName: 'unknown_service' }])
	await settled()
	expect(asked[1]).toEqual([70])
	expect(table.takeFacts(0)).toMatchObject([{ pid: 70, startNs: 100 * second + 3, serviceName: 'server' }])
	expect(table.counters.unannounced).toBe(1)
})

test('a late record of a dead process does not push out the one that has its pid now', () => {
	const { table } = setup()
	table.apply(exec(60, ['/bin/new']))
	table.see(60, 150 * second)
	expect(table.find(60, 200 * second + 123)).toMatchObject({ exitNs: 0 })
})

test('a process is selected by a port that it opens later, and the kernel waits for that', () => {
	const { table } = setup({ rules: { instrument: [{ openPorts: '8080' }] } })
	table.apply(exec(60, ['/bin/server']))
	table.apply(exec(61, ['/bin/other'], { startNs: 201 * second }))
	expect(table.takeSelections()).toEqual([])
	expect(table.takeFacts(202 * second)).toMatchObject([{ selection: 'rejected' }, { selection: 'rejected' }])
	table.apply({ kind: 'listen', pid: 60, startNs: 200 * second + 123, timeNs: 203 * second, port: 8080 })
	expect(table.takeFacts(203 * second)).toMatchObject([
		{ pid: 60, selection: 'selected', listenPorts: [8080] },
	])
	// Whoever has not listened after 30 s is left alone.
	table.takeFacts(240 * second)
	expect(table.takeSelections()).toEqual([{ pid: 61, selection: 'rejected', nginx: false }])
})

test('a program that only starts another is not rejected in the kernel, where that would meet the other', () => {
	const { table } = setup({ rules: { instrument: [{ exePath: '/bin/server' }] } })
	const timeNs = 200 * second
	table.apply(exec(60, ['/usr/bin/env'], { timeNs }))
	// Its exec may be in the kernel's past when this is told.
	expect(table.takeFacts(timeNs + 50e6)).toMatchObject([{ selection: 'rejected' }])
	expect(table.takeSelections()).toEqual([])
	table.apply(exec(60, ['/bin/server'], { timeNs: timeNs + 3e6 }))
	expect(table.takeFacts(timeNs + 60e6)).toMatchObject([{ selection: 'selected' }])
	expect(table.takeFacts(timeNs + 300e6)).toEqual([])
	expect(table.takeSelections()).toEqual([])

	// One that stays is, a little later.
	table.apply(exec(61, ['/bin/other'], { timeNs: timeNs + 400e6 }))
	table.takeFacts(timeNs + 450e6)
	expect(table.takeSelections()).toEqual([])
	table.takeFacts(timeNs + 500e6)
	expect(table.takeSelections()).toEqual([{ pid: 61, selection: 'rejected', nginx: false }])
})

test('new rules are asked for every process, and an exit clears the kernel entry', () => {
	const { table } = setup()
	table.apply(exec(60, ['/bin/server']))
	table.takeFacts(201 * second)
	table.setRules(compileSelection({ instrument: [{ exePath: '*nothing*' }] }).rules)
	expect(table.takeFacts(201 * second)).toMatchObject([{ pid: 60, selection: 'rejected' }])
	expect(table.takeSelections()).toEqual([{ pid: 60, selection: 'rejected', nginx: false }])
	table.setRules(compileSelection({}).rules)
	expect(table.takeSelections()).toEqual([{ pid: 60, selection: 'selected', nginx: false }])
	table.apply({ kind: 'exit', pid: 60, startNs: 200 * second + 123, timeNs: 204 * second })
	expect(table.takeSelections()).toEqual([{ pid: 60, selection: 'forget', nginx: false }])
})

test('a probe is asked for once per executable, and its processes are flagged when it hangs', async () => {
	const sites = [{ program: 'probe', symbol: 'f', offset: 64 }]
	const all = [80, 81].map((pid) => scanned(pid, { executableKey: '1:9', sites }))
	const { table } = setup({ all })
	await table.start()
	const asked = table.takeProbeSites()
	expect(asked).toEqual([{ program: 'probe', path: '/proc/80/exe', offset: 64, executableKey: '1:9' }])
	expect(table.takeSelections()).toEqual([])
	for (const site of asked) table.probeAttached(site, true)
	expect(table.takeSelections()).toEqual([
		{ pid: 80, selection: 'selected', nginx: true },
		{ pid: 81, selection: 'selected', nginx: true },
	])
})

test('a probe that was refused is tried through another process, and given up after ten times', async () => {
	const sites = [{ program: 'probe', symbol: 'f', offset: 64 }]
	const { table } = setup({ all: [80, 81].map((pid) => scanned(pid, { executableKey: '1:9', sites })) })
	await table.start()
	let [site] = table.takeProbeSites()
	table.apply({ kind: 'exit', pid: 80, startNs: 100 * second, timeNs: 101 * second })
	let attempts = 0
	while (site !== undefined) {
		attempts++
		table.probeAttached(site, false)
		;[site] = table.takeProbeSites()
		if (site !== undefined) expect(site.path).toBe('/proc/81/exe')
	}
	expect(attempts).toBe(10)
	expect(table.takeSelections()).toEqual([])
})

test('a program seen exporting keeps that signal for itself until it execs', () => {
	const { table } = setup()
	table.apply(exec(60, ['/bin/server']))
	table.noteOtlpExport(60, 200 * second + 123, 'traces')
	expect(table.find(60, 200 * second + 123)?.exportsOtlp).toBe('traces')
	table.noteOtlpExport(60, 200 * second + 123, 'metrics')
	expect(table.find(60, 200 * second + 123)?.exportsOtlp).toBe('both')
	table.apply(exec(60, ['/bin/tool']))
	expect(table.find(60, 200 * second + 123)?.exportsOtlp).toBe('none')
})

test('a scan that was asked for before an exec says nothing of the program that runs since', async () => {
	const later = new Map<number, ScannedProcess>()
	const { table, asked } = setup({ later })
	const startTickNs = 200 * second
	table.apply(exec(60, ['env', 'curl', 'x'], { filename: '/usr/bin/env' }))
	later.set(60, scanned(60, { startTickNs, executable: '/usr/bin/env', commandLine: ['env', 'curl', 'x'] }))
	table.takeFacts(201 * second)
	// While the worker looks, the program becomes another, and ends.
	table.apply(exec(60, ['curl', 'x'], { filename: '/usr/bin/curl', timeNs: 200 * second + 500 }))
	await settled()
	// It is looked at again; by now /proc knows the new one.
	later.set(60, scanned(60, { startTickNs, executable: '/usr/bin/curl', language: 'rust' }))
	const facts = table.takeFacts(202 * second)
	expect(facts).toMatchObject([{ executable: '/usr/bin/curl', serviceName: 'curl', language: 'generic' }])
	expect(asked).toEqual([[60], [60]])
	await settled()
	expect(table.takeFacts(203 * second)).toMatchObject([{ serviceName: 'curl', language: 'rust' }])
})

test('a process that ended while it was looked at is not made anew', async () => {
	const startNs = 200 * second + 123
	const found = scanned(60, { startTickNs: 200 * second, executable: '/usr/bin/env' })
	const all: ScannedProcess[] = []
	const { table } = setup({ later: new Map([[60, found]]), all })
	table.apply(exec(60, ['env', 'curl'], { filename: '/usr/bin/env' }))
	table.takeFacts(201 * second)
	table.apply(exec(60, ['curl', 'x'], { filename: '/usr/bin/curl', timeNs: startNs + 500 }))
	table.apply({ kind: 'exit', pid: 60, startNs, timeNs: startNs + 900 })
	await settled()
	table.see(60, startNs)
	expect(table.takeFacts(202 * second)).toMatchObject([{ serviceName: 'curl', exitNs: startNs + 900 }])

	// The same in a scan of all.
	all.push(scanned(61, { startTickNs: 200 * second }))
	table.apply(exec(61, ['/bin/short']))
	table.takeFacts(203 * second)
	table.rescan()
	table.apply({ kind: 'exit', pid: 61, startNs, timeNs: startNs + 900 })
	await settled()
	expect(table.takeFacts(204 * second)).toMatchObject([{ serviceName: 'short', exitNs: startNs + 900 }])
	expect(table.isAlive(61, startNs)).toBe(false)
	expect(table.counters.unannounced).toBe(0)
})

test('after lost events a new scan finds who came and who went', async () => {
	const all = [scanned(90), scanned(91)]
	const { table } = setup({ all })
	await table.start()
	table.takeFacts(500 * second)
	all.splice(0, 1)
	all.push(scanned(92, { startTickNs: 400 * second, executable: '/bin/late' }))
	table.rescan()
	await settled()
	expect(table.takeFacts(500 * second)).toMatchObject([
		{ pid: 90, exitNs: 500 * second },
		{ pid: 92, serviceName: 'late', exitNs: 0 },
	])
	expect(table.isAlive(91, 100 * second)).toBe(true)
})

test('Vör itself is rejected', async () => {
	const { table } = setup({ all: [scanned(7)] })
	await table.start()
	expect(table.takeFacts(0)).toMatchObject([
		{ pid: 7, selection: 'rejected', selectionReason: 'is Vör itself' },
	])
})
