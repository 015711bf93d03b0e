import { expect, test } from 'vitest'
import { roundMsOf } from '../../src/bench/kernel-phase.ts'
import { byteText, casesOf, parseList, parseSurfaces, type Settings } from '../../src/bench/settings.ts'

const settings: Settings = {
	quick: false,
	sizes: [1024, 0, 65536],
	rates: [0, 1000, 10_000],
	connections: [100, 1, 10_000],
	processes: [1, 100, 1000],
	surfaces: [],
	pairs: 20,
	roundMs: 200,
	userMs: 3000,
	loadMaker: 'auto',
}

test('every case is the basic one with one thing changed', () => {
	const cases = casesOf(settings)
	expect(cases.map(({ title }) => title)).toEqual([
		'basic case',
		'0 B body',
		'64 KiB body',
		'as fast as it goes',
		'1 000/s',
		'10 000/s',
		'1 connection',
		'10 000 connections',
		'100 processes',
		'1 000 processes',
	])
	const basic = { bytes: 1024, connections: 100, processes: 1, kernelRate: 0, userRate: 10_000 }
	expect(cases[0]).toMatchObject(basic)
	expect(cases[2]).toMatchObject({ ...basic, bytes: 65536 })
	expect(cases[7]).toMatchObject({ ...basic, connections: 10_000 })
})

test('nothing is measured twice: a rate of the basic case leaves out the half that has it', () => {
	const of = (title: string) => casesOf(settings).find((each) => each.title === title)
	expect(of('as fast as it goes')).toMatchObject({ kernelRate: undefined, userRate: 0 })
	expect(of('10 000/s')).toMatchObject({ kernelRate: 10_000, userRate: undefined })
	expect(of('1 000/s')).toMatchObject({ kernelRate: 1000, userRate: 1000 })
})

test('every process has a connection', () => {
	expect(casesOf(settings).at(-1)).toMatchObject({ processes: 1000, connections: 1000 })
	expect(casesOf({ ...settings, processes: [200] })[0]).toMatchObject({ processes: 200, connections: 200 })
})

test('a row is called by the connections that it has, and none is the basic case again', () => {
	const cases = casesOf({ ...settings, connections: [10, 1, 50, 200, 300], processes: [200] })
	expect(cases.map(({ title, connections }) => [title, connections]).slice(-2)).toEqual([
		['10 000/s', 200],
		['300 connections', 300],
	])
})

test('without time for user space only the kernel is measured', () => {
	const cases = casesOf({ ...settings, userMs: 0 })
	expect(cases.map(({ title }) => title)).not.toContain('as fast as it goes')
	expect(cases).toHaveLength(9)
	for (const { kernelRate, userRate } of cases) {
		expect(userRate).toBeUndefined()
		expect(kernelRate).toBeDefined()
	}
})

test('a round has hundreds of requests, for a second at most, and is never shorter than asked for', () => {
	expect(roundMsOf(0, 200)).toBe(200)
	expect(roundMsOf(10_000, 200)).toBe(200)
	expect(roundMsOf(1000, 200)).toBe(300)
	expect(roundMsOf(10, 200)).toBe(1000)
	expect(roundMsOf(1000, 5000)).toBe(5000)
})

test('lists are read with their units; what makes no sense is told with a sample', () => {
	expect(parseList('--sizes', '0,1KiB, 2 MiB,77', 0, 1e9, '0')).toEqual([0, 1024, 2097152, 77])
	expect(parseList('--rates', 'max,10k', 0, 1e6, 'max')).toEqual([0, 10_000])
	expect(parseList('--processes', '1,1,2', 1, 10, '1')).toEqual([1, 2])
	for (const [flag, text] of [
		['--sizes', 'big'],
		['--sizes', ''],
		['--sizes', '1,,2'],
		['--sizes', '-1'],
		['--sizes', '99999999999'],
		['--connections', '0'],
		['--connections', 'max'],
		['--processes', '1.5'],
	] as const)
		expect(() => parseList(flag, text, flag === '--sizes' ? 0 : 1, 1e9, '100'), text).toThrow(
			expect.objectContaining({ code: 'E_USAGE', fix: `${flag}=100` }),
		)
})

test('surfaces have letters and names', () => {
	expect(parseSurfaces('A,D')).toEqual(['tp_btf', 'syscall'])
	expect(parseSurfaces('kprobe, b,C')).toEqual(['kprobe', 'fexit'])
	expect(parseSurfaces('all')).toEqual([])
	expect(() => parseSurfaces('E')).toThrow(expect.objectContaining({ code: 'E_USAGE' }))
})

test('bytes are shown in the unit that fits', () => {
	expect([0, 77, 1024, 1500, 65536, 1 << 20].map(byteText)).toEqual([
		'0 B',
		'77 B',
		'1 KiB',
		'1 500 B',
		'64 KiB',
		'1 MiB',
	])
})
