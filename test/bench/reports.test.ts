import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { drawChart, tickStep } from '../../src/bench/plot.ts'
import { droppedIn, sumOf } from '../../src/bench/process-phase.ts'
import { createProgress } from '../../src/bench/progress.ts'
import { renderMarkdown, replaceTables } from '../../src/bench/report-docs.ts'
import { renderHtml } from '../../src/bench/report-html.ts'
import { renderText } from '../../src/bench/report-text.ts'
import type { BenchResult, CaseResult } from '../../src/bench/result.ts'
import { casesOf } from '../../src/bench/settings.ts'
import { summarise } from '../../src/bench/statistics.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-report-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const settings = {
	quick: false,
	sizes: [1024, 0],
	rates: [0],
	connections: [100],
	processes: [1],
	surfaces: [],
	pairs: 3,
	roundMs: 200,
	userMs: 3000,
	loadMaker: 'auto' as const,
}

const half: Omit<CaseResult, keyof ReturnType<typeof casesOf>[number]> = {
	kernel: {
		bare: summarise([9000, 9100, 9200]),
		requests: 12_000,
		requestsPerSecond: 64_123.4,
		sides: [
			{
				surface: 'tp_btf',
				traced: 'client and server',
				extra: summarise([2900, 3000, 3100]),
				toldFromZero: true,
				seenPerRequest: 2,
				programs: [
					{
						program: 'vor_sock_recv',
						callsPerRequest: 2,
						nsPerCall: 800,
						nsPerRequest: 1600,
						verifiedInstructions: 4321,
					},
				],
				programsUntold: '',
			},
			{
				surface: 'syscall',
				traced: 'client and server',
				extra: summarise([-40, 4000, 4100]),
				toldFromZero: false,
				seenPerRequest: 1.9876,
				programs: [],
				programsUntold: 'another is louder',
			},
		],
	},
	stages: {
		requests: 30_000,
		requestsPerSecond: 9999,
		spansPerRequest: 2,
		ns: { drain: 1000, decode: 2000, correlate: 3000, propagate: 400, aggregate: 500, encode: 6000 },
		dropped: {},
	},
	process: {
		requests: 40_000,
		requestsPerSecond: 9999,
		rssAtRest: 100 << 20,
		rss: 128 << 20,
		rssPeak: 130 << 20,
		cpuNsPerRequest: 20_000,
		cpuAtRest: 0.031,
		cpuLoaded: 0.231,
		countedRequests: 40_000,
		exportedSpans: 79_990,
		dropped: { 'ebpf.ringbuf: ring_full': 10 },
	},
}

const [basic, bytes, rate] = casesOf(settings)
const result: BenchResult = {
	format: 'vor-bench/1',
	vor: '0.1.0',
	date: '2026-01-02T03:04:05.678Z',
	seconds: 99,
	command: 'vor bench --pairs=3',
	settings,
	machine: {
		kernel: '6.18.0-flavour',
		arch: 'x64',
		cpu: 'A <fast> & "cheap" CPU',
		cpus: 2,
		virtual: true,
		memoryBytes: 2 ** 34,
		node: 'v20.20.2',
		loadAverage: 0.42,
	},
	loadMaker: 'c',
	surfaces: [
		{ surface: 'tp_btf', letter: 'A', storage: 'socket', refusal: '', main: true },
		{ surface: 'fexit', letter: 'B', storage: '', refusal: 'not here', main: false },
	],
	notes: ['something to know'],
	cases: [
		{ ...basic!, ...half },
		{ ...bytes!, ...half },
		{ ...rate!, ...half, kernel: undefined },
	],
}

test('the text has the machine, the notes and a row for all that was measured', () => {
	const text = renderText(result)
	for (const part of [
		'vor bench --pairs=3',
		'2 × A <fast> & "cheap" CPU (virtual), 16 GiB, Linux 6.18.0-flavour x64',
		'load average 0.4',
		'1 KiB body, 100 connections, 1 process',
		'Surface B (fexit): refused. not here',
		'Note: something to know',
	])
		expect(text).toContain(part)
	const rows = text.split('\n').map((line) => line.trim().split(/ {2,}/))
	expect(rows).toContainEqual([
		'basic case',
		'A tp_btf',
		'64 123 (max)',
		'9 100',
		'+3 000',
		'2 900 … 3 100',
		'2 900',
		'1 600',
		'2.0',
		'2.000',
	])
	expect(rows.filter(([first]) => first === 'basic case')).toHaveLength(4)
	// Nothing was shown of this one: its median of 4 000 is no figure, nor is its p10.
	expect(rows).toContainEqual(
		expect.arrayContaining(['0 B body', 'D syscall', 'not told from 0', '−40 … 4 100', '–']),
	)
	expect(text).not.toContain('4 000  ')
	expect(rows).toContainEqual([
		'as fast as it goes',
		'9 999',
		'1.00',
		'2.00',
		'3.00',
		'0.40',
		'0.50',
		'6.00',
		'12.90',
		'2.00',
		'0',
	])
	expect(text).toContain('40 000 of 40 000  10 (ebpf.ringbuf: ring_full)')
	expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(160)
})

test('the page needs no network and no script, is made for light and dark, and escapes what it shows', () => {
	const html = renderHtml(result)
	expect(html).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|https?:/)
	expect(html).toContain('prefers-color-scheme: dark')
	expect(html).toContain('A &#60;fast&#62; &#38; &#34;cheap&#34; CPU')
	expect(html.match(/<svg /g)).toHaveLength(3)
	expect(html.match(/<table>/g)).toHaveLength(4)
	expect(html).not.toContain('NaN')
	expect(html).toContain('2026-01-02 03:04 UTC')
	// Every element that is opened is closed, in order.
	const open: string[] = []
	for (const [, slash, name, rest] of html.matchAll(/<(\/?)([a-z0-9]+)((?:"[^"]*"|[^">])*)>/g)) {
		if (name === 'meta' || rest?.endsWith('/')) continue
		if (slash === '/') expect(open.pop()).toBe(name)
		else open.push(name!)
	}
	expect(open).toEqual([])
})

test('an interval that holds 0 is told as such in every form, the JSON keeps the numbers', () => {
	for (const form of [renderText(result), renderHtml(result), renderMarkdown(result)]) {
		expect(form.match(/not told from 0/g)?.length).toBeGreaterThanOrEqual(2)
		expect(form).not.toContain('+4 000')
		expect(form).toContain('+3 000')
	}
	const [, side] = (JSON.parse(JSON.stringify(result)) as BenchResult).cases[0]!.kernel!.sides
	expect(side).toMatchObject({ extra: { median: 4000, low: -40, high: 4100 }, toldFromZero: false })
})

test('without user space the head says so', () => {
	const { kernel } = half
	const [only] = casesOf({ ...settings, userMs: 0 })
	const text = renderText({
		...result,
		settings: { ...settings, userMs: 0 },
		cases: [{ ...only!, kernel, stages: undefined, process: undefined }],
	})
	expect(text).toContain('kernel at as fast as it goes, user space left out.')
	expect(text).not.toContain('User space:')
})

test('a chart has a bar for every value, within its frame, also below zero', () => {
	const svg = drawChart({
		title: 'a',
		series: ['x', 'y'],
		unit: 'ns',
		bars: [
			{ label: 'up', values: [10, 20], text: '30', interval: [20, 47] },
			{ label: 'down', values: [-7, 0], text: '−7' },
		],
	})
	const rects = [...svg.matchAll(/<rect class="s(\d)" x="([-\d.]+)" y="\d+" width="([-\d.]+)"/g)].map(
		(match) => match.slice(1).map(Number),
	)
	expect(rects).toHaveLength(4)
	for (const [, x, width] of rects) {
		expect(x).toBeGreaterThanOrEqual(270)
		expect(x! + width!).toBeLessThanOrEqual(860 - 130)
	}
	// Of the same scale: twice the value is twice the width, and the stack continues where it was.
	expect(rects[1]![2]! / rects[0]![2]!).toBeCloseTo(2, 1)
	expect(rects[1]![1]).toBeCloseTo(rects[0]![1]! + rects[0]![2]!, 0)
	expect([1, 7, 40, 230, 0.3].map(tickStep)).toEqual([0.2, 2, 10, 50, expect.closeTo(0.1, 9)])
})

test('the tables take the place between the marks of a page, and nothing else', () => {
	const path = join(folder, 'page.md')
	writeFileSync(path, 'before\n<!-- vor bench: begin -->\nold\n<!-- vor bench: end -->\nafter\n')
	replaceTables(path, undefined)
	expect(readFileSync(path, 'utf8')).toContain('old')
	replaceTables(path, result)
	replaceTables(path, result)
	const text = readFileSync(path, 'utf8')
	expect(text).toBe(
		`before\n<!-- vor bench: begin -->\n${renderMarkdown(result)}<!-- vor bench: end -->\nafter\n`,
	)
	expect(text).toContain('Linux 6.18.0 x64')
	// Every row of a table has as many cells as its head.
	const tables = text.split('\n\n').filter((part) => part.startsWith('|'))
	expect(tables).toHaveLength(4)
	for (const table of tables) {
		const cells = table
			.trimEnd()
			.split('\n')
			.map((line) => line.split('|').length)
		if (cells.at(-1) === 1) cells.pop()
		expect(new Set(cells.slice(0, -1)).size, table).toBe(1)
	}
	writeFileSync(path, 'no marks')
	for (const missing of [path, join(folder, 'absent.md')])
		expect(() => replaceTables(missing, undefined)).toThrow(expect.objectContaining({ code: 'E_FILE' }))
})

test('the time left follows the pace of what was done', () => {
	let now = 0
	let text = ''
	const write = (more: string): void => void (text += more)
	const progress = createProgress({ write, inPlace: false, totalMs: 100_000, now: () => now })
	progress.begin('one', 20_000)
	now = 40_000
	progress.begin('two', 80_000)
	progress.end()
	expect(text).toBe('one, about 1 min 40 s left\ntwo, about 2 min 40 s left\n')
	text = ''
	const inPlace = createProgress({ write, inPlace: true, totalMs: 10_000, now: () => now })
	inPlace.begin('one', 10_000)
	inPlace.part(0.5)
	inPlace.note('by the way')
	inPlace.end()
	expect(text.split('\r\u001b[K')).toEqual([
		'',
		' 0 %  one, about 10 s left',
		'50 %  one, about 0 s left',
		'by the way\n',
		'',
	])
})

test('drops are read by stage and reason, without those on purpose', () => {
	const metrics = `# HELP vor_component_dropped_total x
vor_component_dropped_total{component_path="/",component_id="ebpf.ringbuf.bench",reason="ring_full",intentional="false"} 12
vor_component_dropped_total{component_path="/",component_id="ebpf.ringbuf.bench",reason="filtered",intentional="true"} 99
vor_component_dropped_total{component_path="/",component_id="ebpf.decode.bench",reason="malformed",intentional="false"} 0
a_total{x="1"} 3
a_total{x="2"} 4
a_total_more 5
`
	expect(droppedIn(metrics)).toEqual({ 'ebpf.ringbuf: ring_full': 12 })
	expect(sumOf(metrics, 'a_total')).toBe(7)
})
