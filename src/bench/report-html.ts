import { type Chart, drawChart, escapeText } from './plot.ts'
import { extraText, headOf, sideName, stagesNs, tablesOf } from './report-tables.ts'
import { isText } from './report-text.ts'
import { type BenchResult, STAGES } from './result.ts'

/** One page that needs nothing else: no network, no script. */
export function renderHtml(result: BenchResult): string {
	const head = headOf(result)
		.map((line) => `<li>${escapeText(line)}</li>`)
		.join('\n')
	const charts = chartsOf(result)
		.filter(({ bars }) => bars.length > 0)
		.map(drawChart)
		.join('\n')
	const tables = tablesOf(result).map(({ title, about, columns, rows }) => {
		const line = (cells: readonly string[], tag: 'td' | 'th'): string =>
			`<tr>${cells.map((cell, i) => `<${tag}${isText(columns[i]) ? '' : ' class="n"'}>${escapeText(cell)}</${tag}>`).join('')}</tr>`
		return `<h2>${escapeText(title)}</h2>
<p>${escapeText(about)}</p>
<div class="wide"><table>
<thead>${line(columns, 'th')}</thead>
<tbody>
${rows.map((row) => line(row, 'td')).join('\n')}
</tbody></table></div>`
	})
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>What Vör costs here</title>
<style>
${STYLE}</style>
</head>
<body>
<h1>What Vör costs here</h1>
<ul>
${head}
</ul>
${charts}
${tables.join('\n')}
<h2>Settings</h2>
<pre>${escapeText(JSON.stringify({ ...result.settings, loadMaker: result.loadMaker }, null, 2))}</pre>
</body>
</html>
`
}

function chartsOf({ cases }: BenchResult): Chart[] {
	return [
		{
			title: 'Kernel: what a request takes more with Vör attached (median, 95 % interval)',
			series: ['with Vör'],
			unit: 'ns',
			bars: cases.flatMap(({ title, id, kernel }) =>
				(kernel?.sides ?? []).map((side) => ({
					label: id === 'basic' ? `${title}, ${sideName(side)}` : title,
					values: [side.extra.median],
					interval: [side.extra.low, side.extra.high] as const,
					text: extraText(side),
				})),
			),
		},
		{
			title: 'User space: CPU of a request by stage',
			series: STAGES,
			unit: 'µs',
			bars: cases.flatMap(({ title, stages }) =>
				stages === undefined
					? []
					: [
							{
								label: title,
								values: STAGES.map((name) => stages.ns[name] / 1000),
								text: (stagesNs(stages) / 1000).toFixed(2),
							},
						],
			),
		},
		{
			title: 'Resident memory of vor run at the end of the load',
			series: ['RSS'],
			unit: 'MiB',
			bars: cases.flatMap(({ title, process: vor }) =>
				vor === undefined
					? []
					: [{ label: title, values: [vor.rss / 2 ** 20], text: (vor.rss / 2 ** 20).toFixed(0) }],
			),
		},
	]
}

const STYLE = `:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #6a737d; --line: #d8dee4;
--c0: #1f6feb; --c1: #2da44e; --c2: #bf8700; --c3: #8250df; --c4: #cf222e; --c5: #0e8a8a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #8b949e; --line: #30363d;
--c0: #58a6ff; --c1: #3fb950; --c2: #d29922; --c3: #bc8cff; --c4: #ff7b72; --c5: #39c5bb; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1100px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; }
figure { margin: 2em 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
text { fill: var(--ink); } .tick { fill: var(--soft); } .grid { stroke: var(--line); } .zero { stroke: var(--soft); }
.whisker { stroke: var(--ink); fill: none; stroke-width: 1.5; }
.s0 { fill: var(--c0); background: var(--c0); } .s1 { fill: var(--c1); background: var(--c1); } .s2 { fill: var(--c2); background: var(--c2); }
.s3 { fill: var(--c3); background: var(--c3); } .s4 { fill: var(--c4); background: var(--c4); } .s5 { fill: var(--c5); background: var(--c5); }
.legend span { margin-right: 1em; } .legend i { display: inline-block; width: .9em; height: .9em; margin-right: .4em; vertical-align: -.1em; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25em .7em; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
th.n, td.n { text-align: right; } pre { color: var(--soft); overflow-x: auto; }
`
