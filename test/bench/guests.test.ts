import { parseArgs } from 'node:util'
import { expect, test } from 'vitest'
import type { BenchResult, ProgramResult, SideResult } from '../../src/bench/result.ts'
import { casesOf } from '../../src/bench/settings.ts'
import { summarise } from '../../src/bench/statistics.ts'
import { benchOptions, settingsOf } from '../../src/cli/bench-settings.ts'

interface Row {
	readonly problems: readonly string[]
	readonly result: BenchResult | undefined
}

const { benchArguments, benchReport, benchRow, compareSurfaces } = (await import(
	new URL('../vm/host/bench.mjs', import.meta.url).href
)) as {
	benchArguments(surfaces: readonly string[]): string[]
	benchRow(kernel: object, boot: object): Row
	benchReport(rows: readonly Row[], options: { readonly kvm: boolean }): string
	compareSurfaces(result: BenchResult): Record<string, unknown>[]
}

const program = (nsPerRequest: number, callsPerRequest: number): ProgramResult => ({
	program: 'p',
	callsPerRequest,
	nsPerCall: nsPerRequest / callsPerRequest,
	nsPerRequest,
	verifiedInstructions: 500,
})
const side = (
	surface: SideResult['surface'],
	programs: readonly ProgramResult[],
	traced: SideResult['traced'] = 'client and server',
): SideResult => ({
	surface,
	traced,
	programs,
	programsUntold: programs.length === 0 ? 'no' : '',
	extra: summarise([1, 2, 3]),
	toldFromZero: true,
	seenPerRequest: 2,
})

const settings = settingsOf(parseArgs({ args: benchArguments([]), options: benchOptions }).values)
const resultOf = (sides: readonly SideResult[]): BenchResult => ({
	format: 'vor-bench/1',
	vor: '0.1.0',
	date: '2026-01-02T03:04:05.678Z',
	seconds: 99,
	command: 'vor bench --sample',
	settings,
	machine: {
		kernel: '6.1.0',
		arch: 'x64',
		cpu: 'emulated',
		cpus: 2,
		virtual: true,
		memoryBytes: 2 ** 30,
		node: 'v20.20.2',
		loadAverage: 0,
	},
	loadMaker: 'c',
	surfaces: [
		{ surface: 'tp_btf', letter: 'A', storage: '', refusal: 'no such hook', main: false },
		{ surface: 'fexit', letter: 'B', storage: 'socket', refusal: '', main: true },
		{ surface: 'syscall', letter: 'D', storage: 'hash', refusal: '', main: false },
	],
	notes: [],
	cases: [
		{
			...casesOf(settings)[0]!,
			kernel: { bare: summarise([1, 2, 3]), requests: 1, requestsPerSecond: 1, sides },
			stages: undefined,
			process: undefined,
		},
	],
})

const two = resultOf([
	side('syscall', [program(300, 2), program(600, 4.125)]),
	side('fexit', [program(400, 2), program(200, 2.5)]),
	side('fexit', [program(1, 1)], 'server'),
])
const kernel = { series: '6.1', release: '6.1.0-1', version: '6.1.1' }
const boot = { findings: [{ kind: 'boot' }, { kind: 'bench', result: two }], milliseconds: 1234, problem: '' }

test('the plan for guests is one that vor bench takes: the basic case, the kernel alone', () => {
	const [only, ...others] = casesOf(settings)
	expect(others).toEqual([])
	expect(only).toMatchObject({ userRate: undefined, kernelRate: 0, processes: 1 })
	expect(settings).toMatchObject({ surfaces: [], loadMaker: 'c' })
	const some = parseArgs({ args: benchArguments(['fexit', 'syscall']), options: benchOptions }).values
	expect(settingsOf(some).surfaces).toEqual(['fexit', 'syscall'])
})

test('surfaces stand in the order of their letters, their run time beside that of the cheapest', () => {
	const common = { seen: 2, extra: 2 }
	expect(compareSurfaces(two)).toEqual([
		{ ...common, surface: 'fexit', title: 'B fexit', programs: 600, ratio: 1, calls: 4.5 },
		{ ...common, surface: 'syscall', title: 'D syscall', programs: 900, ratio: 1.5, calls: 6.125 },
	])
})

test('what a kernel does not tell is not made up', () => {
	const noise = { ...side('fexit', []), toldFromZero: false }
	const result = resultOf([noise, side('syscall', [program(300, 2), program(100, 2)])])
	const [quiet, old] = compareSurfaces(result)
	const nothing = { programs: undefined, ratio: undefined, calls: undefined }
	expect(quiet).toMatchObject({ ...nothing, extra: undefined, seen: 2 })
	expect(old).toMatchObject({ programs: 400, ratio: 1, calls: 4 })
	expect(
		benchReport([benchRow(kernel, { ...boot, findings: [{ kind: 'bench', result }] })], { kvm: false }),
	).toMatch(/\| B fexit +(\| not told +){4}\| 2\.000/)
})

test('a guest that told its result is a row of the table, with what its kernel refuses', () => {
	const row = benchRow(kernel, boot)
	expect(row).toMatchObject({ kernel, seconds: 1.2, problems: [], result: two })
	const text = benchReport([row], { kvm: false })
	const cells = text
		.split('\n')
		.filter((line) => line.startsWith('|'))
		.map((line) => line.split('|').map((cell) => cell.trim()))
	const common = ['2.000', '']
	expect(cells[2]).toEqual(['', '6.1.0-1', 'B fexit', '600', '1.00', '+2 of 2', '4.50', ...common])
	expect(cells[3]).toEqual(['', '6.1.0-1', 'D syscall', '900', '1.50', '+2 of 2', '6.13', ...common])
	expect(text).toContain('* 6.1.0-1, A tp_btf: no such hook')
	expect(text).toContain('In each guest: `vor bench --sample`')
	expect(text).toMatch(/They are no times/)
	expect(benchReport([row], { kvm: true })).not.toMatch(/emulation/)
})

test('guests that were asked different things say what each was asked', () => {
	const other = { ...two, command: 'vor bench --other' }
	const rows = [
		benchRow(kernel, boot),
		benchRow({ ...kernel, release: '7.0' }, { ...boot, findings: [{ kind: 'bench', result: other }] }),
	]
	const text = benchReport(rows, { kvm: false })
	expect(text).toContain('* `vor bench --sample` in 6.1.0-1\n* `vor bench --other` in 7.0')
})

test('a guest without a result says why, and its table stays empty', () => {
	const findings = [{ kind: 'boot' }, { kind: 'failed', problem: 'vor bench ended with 1: error: no' }]
	const rows = [
		benchRow(kernel, { ...boot, findings }),
		benchRow(kernel, { ...boot, findings: [{ kind: 'boot' }, { kind: 'end' }] }),
		benchRow(kernel, { ...boot, findings: [], problem: 'it hangs', console: ['last words'] }),
	]
	expect(rows.map(({ problems }) => problems)).toEqual([
		['vor bench ended with 1: error: no'],
		['vor bench told nothing'],
		["it hangs; the console's end:", 'last words'],
	])
	expect(benchReport(rows, { kvm: false })).not.toContain(kernel.release)
})
