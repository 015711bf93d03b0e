import { quote } from './text.ts'

const unitNs: Readonly<Record<string, number>> = {
	ns: 1,
	us: 1e3,
	µs: 1e3,
	μs: 1e3,
	ms: 1e6,
	s: 1e9,
	m: 60e9,
	h: 3600e9,
}

export class DurationError extends Error {}

const maxNs = 2n ** 63n - 1n

/** Go's `time.ParseDuration`, in milliseconds. Throws `DurationError` with Go's text. */
export function parseDuration(text: string): number {
	const invalid = (): DurationError => new DurationError(`time: invalid duration ${quote(text)}`)
	let rest = text
	let sign = 1
	if (/^[-+]/.test(rest)) {
		if (rest[0] === '-') sign = -1
		rest = rest.slice(1)
	}
	if (rest === '0') return 0
	if (rest === '') throw invalid()
	let wholeNs = 0n
	let fractionNs = 0
	while (rest !== '') {
		const number = /^(\d*)(\.(\d*))?/.exec(rest)!
		const [whole, integer = '', , fraction = ''] = number
		if (integer === '' && fraction === '') throw invalid()
		rest = rest.slice(whole.length)
		const unit = /^[^.\d]*/.exec(rest)![0]
		if (unit === '') throw new DurationError(`time: missing unit in duration ${quote(text)}`)
		const scale = unitNs[unit]
		if (scale === undefined)
			throw new DurationError(`time: unknown unit ${quote(unit)} in duration ${quote(text)}`)
		rest = rest.slice(unit.length)
		wholeNs += BigInt(integer === '' ? 0 : integer) * BigInt(scale)
		fractionNs += Math.trunc(Number(`0.${fraction === '' ? 0 : fraction}`) * scale)
		if (wholeNs + BigInt(fractionNs) > maxNs) throw invalid()
	}
	return (sign * (Number(wholeNs) + fractionNs)) / 1e6
}

/** Go's `Duration.String()` of milliseconds: `1h30m0s`, `1.5s`, `100ms`, `0s`. */
export function formatDuration(ms: number): string {
	const ns = Math.round(Math.abs(ms) * 1e6)
	const sign = ms < 0 ? '-' : ''
	if (ns === 0) return '0s'
	if (ns < 1e3) return `${sign}${ns}ns`
	if (ns < 1e6) return `${sign}${ns / 1e3}µs`
	if (ns < 1e9) return `${sign}${ns / 1e6}ms`
	const seconds = ns / 1e9
	const hours = Math.floor(seconds / 3600)
	const minutes = Math.floor(seconds / 60) % 60
	const rest = (ns - (hours * 3600 + minutes * 60) * 1e9) / 1e9
	if (hours > 0) return `${sign}${hours}h${minutes}m${rest}s`
	return minutes > 0 ? `${sign}${minutes}m${rest}s` : `${sign}${rest}s`
}
