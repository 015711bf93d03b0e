/** Bar charts as inline SVG. Colours and type come from the page's style sheet. */

export interface Bar {
	readonly label: string
	/** From the bottom of the stack: one for each series. */
	readonly values: readonly number[]
	/** Whiskers of the whole bar. */
	readonly interval?: readonly [low: number, high: number]
	/** Written at the end of the bar. */
	readonly text: string
}

export interface Chart {
	readonly title: string
	/** Names of the parts of a bar; a legend is drawn when there are several. */
	readonly series: readonly string[]
	readonly bars: readonly Bar[]
	readonly unit: string
}

const WIDTH = 860
const LABEL = 270
const TEXT = 130
const ROW = 26
const TOP = 8
const AXIS = 34

export const escapeText = (text: string): string =>
	text.replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`)

export function drawChart({ title, series, bars, unit }: Chart): string {
	const sums = bars.map(({ values }) => values.reduce((sum, value) => sum + value, 0))
	const highest = Math.max(...sums, ...bars.map(({ interval }) => interval?.[1] ?? 0))
	const lowest = Math.min(0, ...sums, ...bars.map(({ interval }) => interval?.[0] ?? 0))
	const step = tickStep(highest - lowest)
	const from = Math.floor(lowest / step) * step
	const to = Math.max(Math.ceil(highest / step) * step, from + step)
	const x = (value: number): number => LABEL + ((value - from) / (to - from)) * (WIDTH - LABEL - TEXT)
	const bottom = TOP + bars.length * ROW
	const parts: string[] = []
	for (let tick = from; tick <= to + step / 2; tick += step) {
		const at = x(tick).toFixed(1)
		parts.push(`<line class="grid" x1="${at}" x2="${at}" y1="${TOP}" y2="${bottom}"/>`)
		parts.push(
			`<text class="tick" x="${at}" y="${bottom + 16}" text-anchor="middle">${tickText(tick)}</text>`,
		)
	}
	for (const [row, bar] of bars.entries()) {
		const y = TOP + row * ROW
		const middle = y + ROW / 2
		parts.push(`<text x="${LABEL - 8}" y="${middle + 4}" text-anchor="end">${escapeText(bar.label)}</text>`)
		let sum = 0
		for (const [i, value] of bar.values.entries()) {
			const [a, b] = [x(sum), x(sum + value)]
			sum += value
			const name = `${bar.label}: ${series[i] ?? ''} ${tickText(value)} ${unit}`
			parts.push(
				`<rect class="s${i}" x="${Math.min(a, b).toFixed(1)}" y="${y + 5}" width="${Math.abs(b - a).toFixed(1)}" height="${ROW - 10}"><title>${escapeText(name)}</title></rect>`,
			)
		}
		if (bar.interval !== undefined) {
			const [low, high] = bar.interval.map((value) => x(value).toFixed(1)) as [string, string]
			parts.push(
				`<path class="whisker" d="M${low} ${middle}H${high}M${low} ${middle - 4}v8M${high} ${middle - 4}v8"/>`,
			)
		}
		const end = Math.max(x(sum), bar.interval === undefined ? 0 : x(bar.interval[1]), x(0))
		parts.push(
			`<text class="value" x="${(end + 8).toFixed(1)}" y="${middle + 4}">${escapeText(bar.text)}</text>`,
		)
	}
	parts.push(
		`<line class="zero" x1="${x(0).toFixed(1)}" x2="${x(0).toFixed(1)}" y1="${TOP}" y2="${bottom}"/>`,
	)
	const height = bottom + AXIS
	const legend =
		series.length < 2
			? ''
			: `<p class="legend">${series.map((name, i) => `<span><i class="s${i}"></i>${escapeText(name)}</span>`).join(' ')}</p>`
	return `<figure><figcaption>${escapeText(title)}, ${escapeText(unit)}</figcaption>${legend}
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeText(title)}">${parts.join('\n')}</svg></figure>`
}

/** 1, 2 or 5 times a power of ten: some five steps. */
export function tickStep(range: number): number {
	const rough = Math.max(range, 1e-9) / 5
	const power = 10 ** Math.floor(Math.log10(rough))
	const factor = [1, 2, 5, 10].find((each) => each * power >= rough) ?? 10
	return factor * power
}

const tickText = (value: number): string =>
	Math.abs(value) >= 100 || Number.isInteger(value)
		? String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ' ')
		: String(Number(value.toPrecision(3)))
