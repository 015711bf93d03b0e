import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
	type Connection,
	type DocumentSymbol,
	type InitializeResult,
	SymbolKind,
	TextDocumentSyncKind,
	TextDocuments,
} from 'vscode-languageserver/node'
import { TextDocument } from 'vscode-languageserver-textdocument'
import type { Stability } from '../graph/component.ts'
import type { GraphSource } from '../graph/graph.ts'
import type { Registry } from '../graph/registry.ts'
import { validateConfiguration } from '../graph/validate.ts'
import { parseFile } from '../syntax/parser.ts'
import { formatSource } from '../syntax/printer.ts'
import { complete } from './completion.ts'
import { definitionAt } from './definition.ts'
import { toProtocol } from './diagnostics.ts'
import { hover } from './hover.ts'
import type { BlockNode } from './outline.ts'
import { idOf } from './references.ts'
import { Text } from './text.ts'

export interface LanguageServerOptions {
	readonly registry: Registry
	readonly stability: Stability
	readonly env: NodeJS.ProcessEnv
	readonly version: string
	/** Wait after the last key before the text is checked. */
	readonly debounceMs?: number
}

/** Beyond it a text is only parsed: checking it on every pause would be felt. */
const MAX_CHECKED_CHARACTERS = 1_000_000

/** Serves one editor until it hangs up. No request fails because of what a document holds. */
export function serveLanguage(connection: Connection, options: LanguageServerOptions): void {
	const { registry } = options
	const documents = new TextDocuments(TextDocument)
	const texts = new WeakMap<TextDocument, { readonly version: number; readonly text: Text }>()
	const waiting = new Map<string, NodeJS.Timeout>()
	let snippets = false
	/** All `.alloy` files of a folder are one configuration. */
	let wholeFolder = false

	function textOf(document: TextDocument): Text {
		const kept = texts.get(document)
		if (kept?.version === document.version) return kept.text
		const text = new Text(document, nameOf(document.uri))
		texts.set(document, { version: document.version, text })
		return text
	}

	/** Answers undefined, and says so in the editor's log, where a fault of ours would otherwise end the server. */
	function answer<T>(what: string, uri: string, ask: (text: Text) => T): T | undefined {
		const document = documents.get(uri)
		if (document === undefined) return undefined
		try {
			return ask(textOf(document))
		} catch (reason) {
			connection.console.error(
				`${what}: ${reason instanceof Error ? (reason.stack ?? reason.message) : reason}`,
			)
			return undefined
		}
	}

	connection.onInitialize((params): InitializeResult => {
		snippets = params.capabilities.textDocument?.completion?.completionItem?.snippetSupport === true
		const given = params.initializationOptions as { readonly folder?: unknown } | null | undefined
		wholeFolder = given?.folder === true
		return {
			capabilities: {
				textDocumentSync: TextDocumentSyncKind.Incremental,
				completionProvider: { triggerCharacters: ['.', '"'] },
				hoverProvider: true,
				definitionProvider: true,
				documentFormattingProvider: true,
				documentSymbolProvider: true,
			},
			serverInfo: { name: 'vor', version: options.version },
		}
	})

	connection.onCompletion(({ textDocument, position }) =>
		answer('completion', textDocument.uri, (text) =>
			complete(text, text.offset(position), { registry, snippets }),
		),
	)

	connection.onHover(({ textDocument, position }) =>
		answer('hover', textDocument.uri, (text) => hover(text, text.offset(position), registry)),
	)

	connection.onDefinition(({ textDocument, position }) =>
		answer('definition', textDocument.uri, (text) => {
			const block = definitionAt(text, text.offset(position))
			return block && { uri: textDocument.uri, range: text.range(block.start, block.headEnd) }
		}),
	)

	connection.onDocumentFormatting(({ textDocument }) =>
		answer('formatting', textDocument.uri, (text) => {
			const formatted = formatSource(text.source.name, text.source).text
			// An editor keeps what it has when there is an error; the diagnostics say which.
			if (formatted === undefined || formatted === text.document.getText()) return []
			return [{ range: text.range(0, text.source.bytes.length), newText: formatted }]
		}),
	)

	connection.onDocumentSymbol(({ textDocument }) =>
		answer('symbols', textDocument.uri, (text) =>
			text.outline.root.blocks.map((block) => symbol(block, text)),
		),
	)

	async function check(uri: string): Promise<void> {
		const document = documents.get(uri)
		if (document === undefined) return
		const { version } = document
		const text = textOf(document)
		const found =
			text.source.bytes.length > MAX_CHECKED_CHARACTERS
				? parseFile(text.source.name, text.source).diagnostics
				: await checked(text)
		// The next version has its own check under way.
		if (documents.get(uri)?.version !== version) return
		const { name } = text.source
		const shown = wholeFolder
			? found.filter((one) => one.start.filename === name || one.start.line === 0)
			: found
		await connection.sendDiagnostics({ uri, version, diagnostics: shown.map((one) => toProtocol(one, text)) })
	}

	async function checked(text: Text) {
		const { stability, env, version } = options
		const source = wholeFolder ? await folderOf(text) : alone(text)
		const { problems, warnings } = await validateConfiguration(source, { registry, stability, env, version })
		return [...problems, ...warnings]
	}

	/** The files of the document's folder; what is open counts as it is in the editor. */
	async function folderOf(text: Text): Promise<GraphSource> {
		const folder = dirname(text.source.name)
		const names = await readdir(folder).catch((): string[] => [])
		const files = [
			...new Set([...names.filter((name) => name.endsWith('.alloy')), basename(text.source.name)]),
		]
		return {
			path: folder,
			files: await Promise.all(
				files.sort().map(async (file) => {
					const name = join(folder, file)
					const open = documents.get(pathToFileURL(name).href)
					return { name, text: open?.getText() ?? (await readFile(name, 'utf8').catch(() => '')) }
				}),
			),
		}
	}

	function checkSoon(uri: string): void {
		clearTimeout(waiting.get(uri))
		waiting.set(
			uri,
			setTimeout(() => {
				waiting.delete(uri)
				check(uri).catch((reason: unknown) =>
					connection.console.error(
						`check: ${reason instanceof Error ? (reason.stack ?? reason.message) : reason}`,
					),
				)
			}, options.debounceMs ?? 150),
		)
	}

	documents.onDidChangeContent(({ document }) => checkSoon(document.uri))
	documents.onDidSave(({ document }) => checkSoon(document.uri))
	documents.onDidClose(({ document }) => {
		clearTimeout(waiting.get(document.uri))
		waiting.delete(document.uri)
		void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] })
	})
	documents.listen(connection)
	connection.listen()
}

const alone = (text: Text): GraphSource => ({
	path: text.source.name,
	files: [{ name: text.source.name, text: text.document.getText() }],
})

/** The path of a file, else the URI as it is: an untitled document has no place. */
function nameOf(uri: string): string {
	try {
		return uri.startsWith('file:') ? fileURLToPath(uri) : uri
	} catch {
		return uri
	}
}

/** An outline deeper than this helps nobody, and the protocol's JSON would be as deep. */
const MAX_SYMBOL_DEPTH = 20

function symbol(block: BlockNode, text: Text, depth = 0): DocumentSymbol {
	return {
		name: idOf(block) === '' ? '?' : idOf(block),
		kind: block.label === '' ? SymbolKind.Struct : SymbolKind.Class,
		range: text.range(block.start, Math.min(block.end + 1, text.source.bytes.length)),
		selectionRange: text.range(block.start, block.headEnd),
		children: depth < MAX_SYMBOL_DEPTH ? block.blocks.map((one) => symbol(one, text, depth + 1)) : [],
	}
}
