import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { textOf, trackedFiles } from './files.ts'

/** The ladder of design section 4: what each room may import, besides itself, Node and packages. */
const engines = ['elf', 'process', 'capture', 'protocols', 'correlate', 'propagate', 'aggregate', 'export']
const language = ['util', 'model', 'telemetry', 'syntax', 'eval']
const forEngines = ['util', 'model', 'telemetry', 'flow', 'gen']
const ladder: Readonly<Record<string, readonly string[]>> = {
	util: [],
	gen: [],
	model: ['util'],
	telemetry: ['util', 'model'],
	syntax: ['util', 'model', 'telemetry'],
	eval: ['util', 'model', 'telemetry', 'syntax'],
	flow: ['util', 'model', 'telemetry'],
	graph: [...language, 'flow'],
	...Object.fromEntries(engines.map((engine) => [engine, forEngines])),
	process: [...forEngines, 'elf'],
	components: [...language, 'flow', 'graph', 'gen', ...engines],
	lsp: [...language, 'flow', 'graph'],
	ui: ['util', 'model', 'server'],
	server: [...language, 'flow', 'graph'],
	bench: [...forEngines, ...engines],
	cli: ['*'],
	main: ['*'],
	// Runs the bundle of main: of the other rooms it knows nothing.
	launcher: [],
}
/** Packages that only some rooms may see. */
const packageRooms: Readonly<Record<string, readonly string[]>> = {
	'bpf-native-loader': ['capture', 'bench', 'cli'],
	'@grpc/grpc-js': ['export', 'components'],
	pino: ['telemetry'],
	convict: ['cli'],
	'vscode-languageserver': ['lsp'],
	'vscode-languageserver/node': ['lsp', 'cli'],
	'vscode-languageserver-textdocument': ['lsp'],
}

interface Import {
	readonly file: string
	readonly specifier: string
}

const files = trackedFiles('src').filter((path) => path.endsWith('.ts'))

function importsOf(file: string): Import[] {
	const found: Import[] = []
	const pattern =
		/(?:^|[\s;])(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/gm
	for (const match of textOf(file).matchAll(pattern)) found.push({ file, specifier: (match[1] ?? match[2])! })
	return found
}

/** `src/flow/ports.ts` is in room flow, `src/main.ts` in room main. */
function roomOf(path: string): string {
	return path.split('/')[1]!.replace(/\.ts$/, '')
}

/** Why this import breaks the ladder, or undefined. */
function problem({ file, specifier }: Import): string | undefined {
	const room = roomOf(file)
	const allowed = ladder[room]
	if (allowed === undefined) return `${file}: the room "${room}" is not on the ladder`
	if (!specifier.startsWith('.')) {
		const rooms = packageRooms[specifier]
		return rooms === undefined || rooms.includes(room)
			? undefined
			: `${file} imports ${specifier}, which only ${rooms.join(', ')} may`
	}
	if (!specifier.endsWith('.ts')) return `${file} imports "${specifier}" without .ts`
	const target = normalize(join(dirname(file), specifier))
	if (!target.startsWith('src/')) return `${file} imports ${target}, outside of src/`
	const targetRoom = roomOf(target)
	if (targetRoom !== room) {
		const good = allowed.includes('*') || allowed.includes(targetRoom)
		return good ? undefined : `${file} imports ${target}: ${room} may not import ${targetRoom}`
	}
	// Protocols share protocols/common and never look at each other; the registry beside them knows them all.
	if (room === 'protocols') {
		const from = file.split('/')
		const to = target.split('/')
		if (from.length > 3 && to.length > 3 && from[2] !== to[2] && to[2] !== 'common')
			return `${file} imports ${target}: a protocol may import only protocols/common`
	}
	return undefined
}

test('every import in src/ keeps to the ladder of rooms', () => {
	const problems = files.flatMap(importsOf).map(problem)
	expect(files.length).toBeGreaterThan(20)
	expect(problems.filter((text) => text !== undefined)).toEqual([])
})

test('the check itself sees a breach', () => {
	const breach = (file: string, specifier: string) => problem({ file, specifier })
	expect(breach('src/util/a.ts', '../model/b.ts')).toMatch(/util may not import model/)
	expect(breach('src/flow/a.ts', '../syntax/b.ts')).toMatch(/flow may not import syntax/)
	expect(breach('src/correlate/a.ts', '../propagate/b.ts')).toMatch(/correlate may not import propagate/)
	expect(breach('src/server/a.ts', '../export/b.ts')).toMatch(/server may not import export/)
	expect(breach('src/protocols/http1/a.ts', '../http2/b.ts')).toMatch(/only protocols\/common/)
	expect(breach('src/protocols/http1/a.ts', '../common/b.ts')).toBeUndefined()
	expect(breach('src/decode/a.ts', 'bpf-native-loader')).toMatch(/not on the ladder/)
	expect(breach('src/process/a.ts', 'bpf-native-loader')).toMatch(/only capture/)
	expect(breach('src/util/a.ts', './b')).toMatch(/without \.ts/)
	expect(breach('src/cli/run.ts', '../export/b.ts')).toBeUndefined()
})
