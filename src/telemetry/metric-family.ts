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
	const merged = new Map<string, { family: MetricFamily; samples: Sample[] }>()
	for (const family of families) {
		const entry = merged.get(family.name)
		if (entry === undefined) merged.set(family.name, { family, samples: [...family.samples] })
		else entry.samples.push(...family.samples)
	}
	const parts: string[] = []
	for (const name of [...merged.keys()].sort()) {
		const { family, samples } = merged.get(name)!
		if (samples.length === 0) continue
		parts.push(`# HELP ${name} ${escapeHelp(family.help)}\n# TYPE ${name} ${family.type}\n`)
		for (const sample of samples) {
			parts.push(`${name}${sample.suffix}${labelText(sample.labels)} ${numberText(sample.value)}\n`)
		}
	}
	return parts.join('')
}

function labelText(labels: Labels): string {
	if (labels.length === 0) return ''
	return `{${labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',')}}`
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
