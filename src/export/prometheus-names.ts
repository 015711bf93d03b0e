import type { Metric } from '../model/metric.ts'

const UNITS: Readonly<Record<string, string>> = {
	d: 'days',
	h: 'hours',
	min: 'minutes',
	s: 'seconds',
	ms: 'milliseconds',
	us: 'microseconds',
	ns: 'nanoseconds',
	By: 'bytes',
	KiBy: 'kibibytes',
	MiBy: 'mebibytes',
	GiBy: 'gibibytes',
	TiBy: 'tibibytes',
	KBy: 'kilobytes',
	MBy: 'megabytes',
	GBy: 'gigabytes',
	TBy: 'terabytes',
	m: 'meters',
	V: 'volts',
	A: 'amperes',
	J: 'joules',
	W: 'watts',
	g: 'grams',
	Cel: 'celsius',
	Hz: 'hertz',
	'1': '',
	'%': 'percent',
}

const PER_UNITS: Readonly<Record<string, string>> = {
	s: 'second',
	m: 'minute',
	h: 'hour',
	d: 'day',
	w: 'week',
	mo: 'month',
	y: 'year',
}

/** The Prometheus name of a metric, by the rules of Prometheus' own OTLP receiver (underscores, with suffixes). */
export function prometheusName(metric: Metric): string {
	let tokens = metric.name.split(/[^a-zA-Z0-9:]+/).filter((token) => token !== '')
	const [main = '', per = ''] = metric.unit.split('/')
	const unit = unitToken(main, UNITS)
	if (unit !== '' && !tokens.includes(unit)) tokens.push(unit)
	const perUnit = unitToken(per, PER_UNITS)
	if (perUnit !== '' && !tokens.includes(perUnit)) tokens.push('per', perUnit)
	if (metric.kind === 'sum' && metric.monotonic) tokens = atEnd(tokens, 'total')
	if (metric.kind === 'gauge' && metric.unit === '1') tokens = atEnd(tokens, 'ratio')
	const name = tokens.join('_')
	return /^[0-9]/.test(name) ? `_${name}` : name
}

/** The label of an attribute. */
export function prometheusLabel(attribute: string): string {
	const name = attribute.replace(/[^a-zA-Z0-9_]/g, '_')
	if (/^[0-9]/.test(name)) return `key_${name}`
	return name.startsWith('_') && !name.startsWith('__') ? `key${name}` : name
}

/** Annotations in braces are no units: `{request}` becomes nothing. */
function unitToken(unit: string, table: Readonly<Record<string, string>>): string {
	const trimmed = unit.trim()
	if (trimmed === '' || /[{}]/.test(trimmed)) return ''
	return Object.hasOwn(table, trimmed)
		? table[trimmed]!
		: trimmed.replace(/[^a-zA-Z0-9]+/g, '_').replace(/^_+|_+$/g, '')
}

function atEnd(tokens: readonly string[], last: string): string[] {
	return [...tokens.filter((token) => token !== last), last]
}
