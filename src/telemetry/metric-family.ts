export type Labels = readonly (readonly [name: string, value: string])[]

/** One line of the Prometheus text format. `suffix` is `_bucket`, `_sum` or `_count` for histograms, else ''. */
export interface Sample {
	readonly suffix: string
	readonly labels: Labels
	readonly value: number
}

/** What stands under one `# HELP` and `# TYPE`. Names are Prometheus names as they are; nothing is translated. */
export interface MetricFamily {
	readonly name: string
	readonly help: string
	readonly type: 'counter' | 'gauge' | 'histogram'
	readonly samples: readonly Sample[]
}

/** A family with one sample and no labels. */
export function single(
	name: string,
	type: 'counter' | 'gauge',
	help: string,
	value: number,
	labels: Labels = [],
): MetricFamily {
	return { name, type, help, samples: [{ suffix: '', labels, value }] }
}

/** Prometheus text format 0.0.4. Families of one name are merged under the first one's help, as the format demands. */
export function renderFamilies(families: Iterable<MetricFamily>): string {
	return [...renderChunks(families)].join('')
}

/** Characters: little to hold, and written to a socket in one go. */
const CHUNK = 64 * 1024

/**
 * The same, a piece at a time: thousands of histograms are tens of megabytes, which must not be there all at once. The
 * samples of a family are asked for when its turn comes.
 */
export function* renderChunks(families: Iterable<MetricFamily>, size = CHUNK): Generator<string, void> {
	const named = new Map<string, MetricFamily[]>()
	for (const family of families) {
		const same = named.get(family.name)
		if (same === undefined) named.set(family.name, [family])
		else same.push(family)
	}
	let text = ''
	for (const name of [...named.keys()].sort()) {
		const same = named.get(name) as MetricFamily[]
		const { help, type } = same[0] as MetricFamily
		let isOpen = false
		for (const { samples } of same) {
			const texts: LabelTexts = new Map()
			for (const { suffix, labels, value } of samples) {
				if (!isOpen) text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`
				isOpen = true
				text += `${name}${suffix}${labelText(labels, texts)} ${numberText(value)}\n`
				if (text.length < size) continue
				yield text
				text = ''
			}
		}
	}
	if (text !== '') yield text
}

/** By identity: the samples of a histogram share most of their labels. */
type LabelTexts = Map<Labels[number], string>

function labelText(labels: Labels, texts: LabelTexts): string {
	if (labels.length === 0) return ''
	let all = ''
	for (const label of labels) {
		let text = texts.get(label)
		if (text === undefined) {
			text = `${label[0]}="${escapeLabel(label[1])}"`
			texts.set(label, text)
		}
		all += all === '' ? text : `,${text}`
	}
	return `{${all}}`
}

function escapeLabel(value: string): string {
	return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function escapeHelp(text: string): string {
	return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
	if (value === Number.POSITIVE_INFINITY) return '+Inf'
	if (value === Number.NEGATIVE_INFINITY) return '-Inf'
	return String(value)
}
