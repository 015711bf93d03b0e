import type { Language, ProcessFact } from '../model/process-fact.ts'
import type { ElfFile } from './file.ts'
import { findExported, findSymbols } from './symbols.ts'

export interface ExecutableKind {
	readonly language: Language
	/** Go only: main module path from the build info, '' when not known. */
	readonly goModule: string
	/** Go version or other toolchain text, '' when not known. */
	readonly runtimeVersion: string
	/** OTLP exporters linked in (Go modules). */
	readonly linkedExporters: ProcessFact['exportsOtlp']
}

/** Runtimes linked into the executable itself, by a symbol that only they export. */
const RUNTIME_SYMBOLS: ReadonlyMap<string, Language> = new Map([
	['Py_BytesMain', 'python'],
	['node_module_register', 'nodejs'],
	['ruby_run_node', 'ruby'],
	['php_request_startup', 'php'],
	['rust_eh_personality', 'rust'],
	['erts_alloc_init', 'erlang'],
])

export function inspectExecutable(file: ElfFile): ExecutableKind {
	const go = goBuildInfo(file)
	if (go !== undefined) return go
	const none = { goModule: '', runtimeVersion: '', linkedExporters: 'none' } as const
	// Runtimes export theirs: only where none does, the table of all symbols is searched, which is long.
	for (const find of [findExported, findSymbols]) {
		const symbols = find(file, RUNTIME_SYMBOLS.keys())
		for (const [name, language] of RUNTIME_SYMBOLS) if (symbols.has(name)) return { language, ...none }
	}
	if (isRust(file)) return { language: 'rust', ...none }
	return { language: 'generic', ...none }
}

const BUILD_INFO_MAGIC = Buffer.from('\xff Go buildinf:', 'latin1')
/** The module list of a large program is some tens of kilobytes. */
const MAX_BUILD_INFO = 1 << 20

const GO: ExecutableKind = { language: 'go', goModule: '', runtimeVersion: '', linkedExporters: 'none' }

function goBuildInfo(file: ElfFile): ExecutableKind | undefined {
	const section = file.section('.go.buildinfo')
	if (section === undefined) {
		// Build information can be left out; the table of functions cannot, the runtime needs it.
		return file.sections.some(({ name }) => name.endsWith('.gopclntab')) ? GO : undefined
	}
	const head = file.read(section.offset, Math.min(section.size, MAX_BUILD_INFO))
	const at = head.indexOf(BUILD_INFO_MAGIC)
	// Before Go 1.18 the strings stand behind pointers: the language is known, the rest is left out.
	if (at < 0 || ((head[at + 15] ?? 0) & 2) === 0) return GO
	const version = varintString(head, at + 32)
	if (version === undefined) return GO
	const modules = varintString(head, version.end)?.text ?? ''
	const traces = modules.includes('go.opentelemetry.io/otel/exporters/otlp/otlptrace')
	const metrics = modules.includes('go.opentelemetry.io/otel/exporters/otlp/otlpmetric')
	return {
		language: 'go',
		goModule: /(?:^|\n)mod\t([^\t\n]+)/.exec(modules)?.[1] ?? '',
		runtimeVersion: version.text,
		linkedExporters: traces ? (metrics ? 'both' : 'traces') : metrics ? 'metrics' : 'none',
	}
}

function varintString(buffer: Buffer, from: number): { text: string; end: number } | undefined {
	let length = 0
	let at = from
	for (let shift = 0; ; shift += 7) {
		const byte = buffer[at++]
		if (byte === undefined || shift > 28) return undefined
		length |= (byte & 0x7f) << shift
		if (byte < 0x80) break
	}
	if (length < 0 || at + length > buffer.length) return undefined
	return { text: buffer.toString('utf8', at, at + length), end: at + length }
}

const CHUNK = 256 << 10
const MAX_SCAN = 16 << 20

/** rustc names itself in .comment; panic messages name its sources even in a stripped binary. */
function isRust(file: ElfFile): boolean {
	const comment = file.section('.comment')
	if (
		comment !== undefined &&
		file.readShared(comment.offset, Math.min(comment.size, 4096)).includes('rustc')
	)
		return true
	const data = file.section('.rodata')
	if (data === undefined) return false
	const end = data.offset + Math.min(data.size, MAX_SCAN)
	for (let at = data.offset; at < end; at += CHUNK - 16) {
		if (file.readShared(at, Math.min(CHUNK, end - at)).includes('/rustc/')) return true
	}
	return false
}
