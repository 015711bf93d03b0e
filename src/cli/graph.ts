import { parseArgs } from 'node:util'
import { parseSources } from '../graph/graph-source.ts'
import { blockId } from '../graph/node.ts'
import { traversalsOfBody } from '../graph/traversals.ts'
import { validateConfiguration } from '../graph/validate.ts'
import { hasErrors } from '../syntax/diag.ts'
import { renderDiagnostics } from '../syntax/render.ts'
import { VorError } from '../util/errors.ts'
import type { CliCommand } from './command.ts'
import { readConfiguration } from './read-configuration.ts'
import { knownComponents } from './validate.ts'

/** `from` gives data to `to`: through a consumer that it was handed, or because `to` reads one of its exports. */
export interface DataflowEdge {
	readonly from: string
	readonly to: string
}

export interface Dataflow {
	/** In the order of the files. */
	readonly nodes: readonly string[]
	readonly edges: readonly DataflowEdge[]
}

/** Exports that take data in; what refers to one of them sends to it. */
const consumers = new Set(['input', 'receiver'])

export const command: CliCommand = {
	name: 'graph',
	summary: 'Print the dataflow of a pipeline file.',
	usage: `vor graph [--format=text|mermaid|dot|json] PATH

Prints what gives data to what; nothing is run. What is wrong with PATH is told by "vor validate"; here only that something is.

  --format  text: one line an edge; mermaid: for Markdown pages; dot: for Graphviz; json: {nodes, edges}`,
	async run(argv, io) {
		const { values, positionals } = parseArgs({
			args: [...argv],
			allowPositionals: true,
			options: { format: { type: 'string', default: 'text' } },
		})
		const [path, ...more] = positionals
		if (path === undefined || more.length > 0)
			throw new VorError('E_USAGE', `expected one PATH, got ${positionals.length}`, { fix: 'vor graph FILE' })
		const format = formats[values.format]
		if (format === undefined)
			throw new VorError('E_USAGE', `unknown format "${values.format}"`, { fix: '--format=text' })
		const source = await readConfiguration(path)
		const { input, diagnostics, sources } = parseSources(source)
		if (hasErrors(diagnostics)) {
			io.stderr.write(renderDiagnostics(diagnostics, sources, { color: io.isTty }))
			return 1
		}
		const nodes = input.blocks.map((block) => ({ id: blockId(block), body: block.body }))
		io.stdout.write(format(dataflowOf(nodes)))
		const { problems } = await validateConfiguration(source, {
			registry: knownComponents(),
			stability: 'experimental',
			env: io.env,
		})
		if (problems.length > 0) {
			const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
			io.stderr.write(`${path} has ${count}, the graph may lack edges: vor validate --explain ${path}\n`)
		}
		return 0
	},
}

function dataflowOf(
	blocks: readonly { id: string; body: Parameters<typeof traversalsOfBody>[0] }[],
): Dataflow {
	const nodes = [...new Set(blocks.map(({ id }) => id))]
	const edges = new Map<string, DataflowEdge>()
	for (const { id, body } of blocks) {
		for (const { parts } of traversalsOfBody(body)) {
			const names = parts.map(({ name }) => name)
			const length = names.findLastIndex((_, i) => nodes.includes(names.slice(0, i + 1).join('.'))) + 1
			if (length === 0) continue
			const other = names.slice(0, length).join('.')
			const edge = consumers.has(names[length] ?? '') ? { from: id, to: other } : { from: other, to: id }
			edges.set(`${edge.from} ${edge.to}`, edge)
		}
	}
	return { nodes, edges: [...edges.values()] }
}

const formats: Readonly<Record<string, (flow: Dataflow) => string>> = {
	text({ nodes, edges }) {
		const joined = new Set(edges.flatMap(({ from, to }) => [from, to]))
		const lines = edges.map(({ from, to }) => `${from} -> ${to}`)
		return [...lines, ...nodes.filter((id) => !joined.has(id))].map((line) => `${line}\n`).join('')
	},
	dot({ nodes, edges }) {
		const lines = [
			...nodes.map((id) => `\t${JSON.stringify(id)};`),
			...edges.map(({ from, to }) => `\t${JSON.stringify(from)} -> ${JSON.stringify(to)};`),
		]
		return `digraph vor {\n\trankdir=LR;\n\tnode [shape=box];\n${lines.join('\n')}\n}\n`
	},
	/** Labels are quoted: a name like `end` would otherwise be a word of Mermaid's. */
	mermaid({ nodes, edges }) {
		const ids = new Map(nodes.map((id, i) => [id, `n${i}`]))
		const lines = [
			...nodes.map((id) => `\t${ids.get(id)}["${id.replaceAll('"', '#quot;')}"]`),
			...edges.map(({ from, to }) => `\t${ids.get(from)} --> ${ids.get(to)}`),
		]
		return `flowchart LR\n${lines.join('\n')}\n`
	},
	json: (flow) => `${JSON.stringify(flow)}\n`,
}
