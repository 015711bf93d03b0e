import type { parseArgs } from 'node:util'
import { parseList, parseSurfaces, type Settings } from '../bench/settings.ts'
import { VorError } from '../util/errors.ts'

/** Flags of `vor bench`. */
export const benchOptions = {
	quick: { type: 'boolean', default: false },
	surface: { type: 'string', default: 'all' },
	sizes: { type: 'string' },
	rates: { type: 'string' },
	connections: { type: 'string' },
	processes: { type: 'string' },
	pairs: { type: 'string' },
	'round-ms': { type: 'string' },
	'user-ms': { type: 'string' },
	'load-maker': { type: 'string', default: 'auto' },
	json: { type: 'string' },
	html: { type: 'string' },
	docs: { type: 'string' },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof benchOptions }>>['values']

/** Throws E_USAGE. */
export function settingsOf(values: Values): Settings {
	const quick = values.quick === true
	const list = (flag: string, text: string | undefined, low: number, high: number, all: string): number[] =>
		parseList(flag, text ?? (quick ? (all.split(',')[0] as string) : all), low, high, all)
	const one = (
		flag: string,
		text: string | undefined,
		low: number,
		high: number,
		usual: number,
		expected = `${low} to ${high}`,
	): number => {
		const value = text?.trim() === '' ? Number.NaN : Number(text ?? usual)
		if (!Number.isInteger(value) || value < low || value > high)
			throw new VorError('E_USAGE', `${flag} is ${JSON.stringify(text)}, expected ${expected}`, {
				fix: `${flag}=${usual}`,
			})
		return value
	}
	const maker = values['load-maker']
	if (maker !== 'auto' && maker !== 'c' && maker !== 'node')
		throw new VorError('E_USAGE', `--load-maker is ${maker}, expected auto, c or node`, {
			fix: '--load-maker=auto',
		})
	const userMs =
		values['user-ms'] === '0'
			? 0
			: one('--user-ms', values['user-ms'], 200, 600_000, quick ? 2000 : 3000, '0, or 200 to 600000')
	return {
		quick,
		sizes: list('--sizes', values.sizes, 0, 16 << 20, '1KiB,0,64KiB'),
		rates: values.rates === undefined && quick ? [] : list('--rates', values.rates, 0, 1e6, 'max,1000,10000'),
		connections: list('--connections', values.connections, 1, 25_000, '100,1,10000'),
		processes: list('--processes', values.processes, 1, 5000, '1,100,1000'),
		surfaces: parseSurfaces(values.surface ?? 'all'),
		pairs: one('--pairs', values.pairs, 2, 1000, quick ? 8 : 20),
		roundMs: one('--round-ms', values['round-ms'], 20, 10_000, 200),
		userMs,
		loadMaker: maker,
	}
}

/** The words that make the same measurement again, without where the report goes. */
export function commandOf(values: Values): string {
	const words = ['vor bench']
	for (const [name, value] of Object.entries(values)) {
		const usual = (benchOptions as Readonly<Record<string, { readonly default?: string | boolean }>>)[name]
			?.default
		if (['json', 'html', 'docs'].includes(name) || value === usual) continue
		words.push(value === true ? `--${name}` : `--${name}=${value}`)
	}
	return words.join(' ')
}
