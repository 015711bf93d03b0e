import { SURFACE_LETTERS, SURFACES, type SurfaceName } from '../capture/surfaces.ts'
import { VorError } from '../util/errors.ts'
import type { LoadMaker } from './load.ts'

/** What is asked of one run of `vor bench`. The first of each list is that of the basic case. */
export interface Settings {
	readonly quick: boolean
	/** Bytes of a response's body. */
	readonly sizes: readonly number[]
	/** Requests a second, 0 = as many as come. */
	readonly rates: readonly number[]
	readonly connections: readonly number[]
	readonly processes: readonly number[]
	/** Empty: the one that Vör would choose here, and beside it in the basic case all that load. */
	readonly surfaces: readonly SurfaceName[]
	/** Rounds with nothing, and with each surface, attached. */
	readonly pairs: number
	readonly roundMs: number
	/** How long each measurement of user space takes; 0: only the kernel is measured. */
	readonly userMs: number
	readonly loadMaker: 'auto' | LoadMaker
}

/** One row of the tables: the basic case with one thing changed. */
export interface Case {
	readonly id: string
	readonly title: string
	readonly bytes: number
	readonly connections: number
	readonly processes: number
	/** Of the load while the kernel side is measured; undefined: another row has that. */
	readonly kernelRate: number | undefined
	/** Of the load while user space is measured; undefined: another row has that. */
	readonly userRate: number | undefined
}

/** Paired rounds are most exact when the CPU never sleeps; user space is measured where Vör keeps up. */
export const KERNEL_RATE = 0
export const USER_RATE = 10_000

export function casesOf(settings: Settings): Case[] {
	const { sizes, rates, connections, processes, userMs } = settings
	const userRateOf = (rate: number): number | undefined => (userMs === 0 ? undefined : rate)
	const basic = {
		bytes: sizes[0] as number,
		connections: Math.max(connections[0] as number, processes[0] as number),
		processes: processes[0] as number,
		kernelRate: KERNEL_RATE,
		userRate: userRateOf(USER_RATE),
	}
	const cases: Case[] = [{ ...basic, id: 'basic', title: 'basic case' }]
	for (const bytes of sizes.slice(1))
		cases.push({ ...basic, id: `bytes=${bytes}`, title: `${byteText(bytes)} body`, bytes })
	for (const rate of rates)
		cases.push({
			...basic,
			id: `rate=${rate}`,
			title: rateText(rate),
			kernelRate: rate === KERNEL_RATE ? undefined : rate,
			userRate: rate === USER_RATE ? undefined : userRateOf(rate),
		})
	// Every process has at least one connection, or it would do nothing.
	const counts = new Set(connections.slice(1).map((count) => Math.max(count, basic.processes)))
	counts.delete(basic.connections)
	for (const count of counts)
		cases.push({
			...basic,
			id: `connections=${count}`,
			title: plural(count, 'connection'),
			connections: count,
		})
	for (const count of processes.slice(1))
		cases.push({
			...basic,
			id: `processes=${count}`,
			title: plural(count, 'process', 'processes'),
			processes: count,
			connections: Math.max(count, basic.connections),
		})
	return cases.filter(({ kernelRate, userRate }) => kernelRate !== undefined || userRate !== undefined)
}

export const grouped = (value: number): string =>
	String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ' ')

export const plural = (count: number, one: string, many = `${one}s`): string =>
	`${grouped(count)} ${count === 1 ? one : many}`

export function byteText(bytes: number): string {
	if (bytes >= 1 << 20 && bytes % (1 << 20) === 0) return `${bytes >> 20} MiB`
	if (bytes >= 1024 && bytes % 1024 === 0) return `${bytes >> 10} KiB`
	return `${grouped(bytes)} B`
}

export const rateText = (rate: number): string => (rate === 0 ? 'as fast as it goes' : `${grouped(rate)}/s`)

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kib: 1024, mib: 1 << 20, k: 1000 }

/** `0,1KiB,64KiB`, or `max,1000`: every entry a whole number within the bounds. */
export function parseList(flag: string, text: string, low: number, high: number, sample: string): number[] {
	const values = text.split(',').map((word) => {
		const match = /^(\d+) ?([a-z]*)$/i.exec(word.trim())
		const unit = UNITS[match?.[2]?.toLowerCase() ?? '?']
		const value = word.trim() === 'max' && flag === '--rates' ? 0 : Number(match?.[1]) * (unit ?? Number.NaN)
		if (!(value >= low && value <= high))
			throw new VorError('E_USAGE', `${flag}: ${JSON.stringify(word)} is not from ${low} to ${high}`, {
				fix: `${flag}=${sample}`,
			})
		return value
	})
	return [...new Set(values)]
}

export const letterOf = (surface: SurfaceName): string => SURFACE_LETTERS[surface]

/** `A,D`, `tp_btf,syscall` or `all`. */
export function parseSurfaces(text: string): SurfaceName[] {
	if (text === 'all' || text === 'auto') return []
	const names = text.split(',').map((word) => {
		const wanted = word.trim()
		const found = SURFACES.find((name) => name === wanted || letterOf(name) === wanted.toUpperCase())
		if (found === undefined)
			throw new VorError('E_USAGE', `--surface: ${JSON.stringify(word)} is no attach surface`, {
				fix: `--surface=${Object.values(SURFACE_LETTERS).join(',')} (${Object.keys(SURFACE_LETTERS).join(', ')}), or --surface=all`,
			})
		return found
	})
	return [...new Set(names)]
}
