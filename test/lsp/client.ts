import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
	type CompletionItem,
	createProtocolConnection,
	type Diagnostic,
	type InitializeParams,
	type InitializeResult,
	type Position,
	type PublishDiagnosticsParams,
	StreamMessageReader,
	StreamMessageWriter,
	type TextEdit,
} from 'vscode-languageserver/node'
import { spawn } from '../helpers/spawn.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** `vor lsp` as an editor starts it, and the editor's side of the protocol. */
export class Client {
	readonly child: ChildProcess
	readonly exited: Promise<number | null>
	stderr = ''
	readonly #connection
	readonly #published = new Map<string, PublishDiagnosticsParams>()
	#waiting: (() => void)[] = []
	#version = 0

	constructor(args: readonly string[] = []) {
		const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'lsp', ...args], {
			cwd: root,
			stdio: ['pipe', 'pipe', 'pipe'],
		})
		this.child = child
		this.exited = new Promise((resolve) => child.on('close', resolve))
		child.stderr.on('data', (chunk: Buffer) => {
			this.stderr += chunk.toString()
		})
		this.#connection = createProtocolConnection(
			new StreamMessageReader(child.stdout),
			new StreamMessageWriter(child.stdin),
		)
		this.#connection.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => {
			this.#published.set(params.uri, params)
			for (const wake of this.#waiting.splice(0)) wake()
		})
		this.#connection.onNotification('window/logMessage', (params: { message: string }) => {
			this.stderr += `${params.message}\n`
		})
		this.#connection.listen()
	}

	async initialize(more: Partial<InitializeParams> = {}): Promise<InitializeResult> {
		const result = await this.request<InitializeResult>('initialize', {
			processId: process.pid,
			rootUri: null,
			capabilities: { textDocument: { completion: { completionItem: { snippetSupport: true } } } },
			...more,
		})
		await this.#connection.sendNotification('initialized', {})
		return result
	}

	request<T>(method: string, params?: object): Promise<T> {
		return this.#connection.sendRequest<T>(method, params)
	}

	notify(method: string, params?: object): Promise<void> {
		return this.#connection.sendNotification(method, params)
	}

	async open(uri: string, text: string): Promise<void> {
		await this.notify('textDocument/didOpen', {
			textDocument: { uri, languageId: 'alloy', version: ++this.#version, text },
		})
	}

	/** Replaces the whole text, or one range of it. */
	async change(uri: string, text: string, range?: { start: Position; end: Position }): Promise<number> {
		const version = ++this.#version
		await this.notify('textDocument/didChange', {
			textDocument: { uri, version },
			contentChanges: [range === undefined ? { text } : { range, text }],
		})
		return version
	}

	/** What was published for the newest version. */
	async diagnostics(uri: string): Promise<Diagnostic[]> {
		for (;;) {
			const found = this.#published.get(uri)
			if (found !== undefined && (found.version ?? 0) >= this.#version) return found.diagnostics
			await new Promise<void>((resolve) => void this.#waiting.push(resolve))
		}
	}

	at(uri: string, position: Position) {
		return { textDocument: { uri }, position }
	}

	async complete(uri: string, position: Position): Promise<CompletionItem[]> {
		return (
			(await this.request<CompletionItem[] | null>('textDocument/completion', this.at(uri, position))) ?? []
		)
	}

	async hover(uri: string, position: Position): Promise<string> {
		const found = await this.request<{ contents: { value: string } } | null>(
			'textDocument/hover',
			this.at(uri, position),
		)
		return found?.contents.value ?? ''
	}

	async format(uri: string): Promise<TextEdit[]> {
		return (
			(await this.request<TextEdit[] | null>('textDocument/formatting', {
				textDocument: { uri },
				options: { tabSize: 4, insertSpaces: false },
			})) ?? []
		)
	}

	async end(): Promise<number | null> {
		await this.request('shutdown')
		await this.notify('exit')
		const code = await this.exited
		this.#connection.dispose()
		return code
	}
}

/** The text without its `|`, and where that stood. */
export function cursor(marked: string): { text: string; position: Position } {
	const offset = marked.indexOf('|')
	const before = marked.slice(0, offset)
	const line = before.split('\n').length - 1
	const position = { line, character: before.length - (before.lastIndexOf('\n') + 1) }
	return { text: before + marked.slice(offset + 1), position }
}
