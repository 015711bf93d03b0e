import type { Position, Range } from 'vscode-languageserver'
import type { TextDocument } from 'vscode-languageserver-textdocument'
import { decodeUtf8, Source } from '../syntax/source.ts'
import { type Outline, outline } from './outline.ts'

/** One version of a document, looked at: places of the protocol (UTF-16) and byte offsets, both ways. */
export class Text {
	readonly document: TextDocument
	readonly source: Source
	#outline: Outline | undefined

	constructor(document: TextDocument, name: string) {
		this.document = document
		this.source = new Source(name, document.getText())
	}

	get outline(): Outline {
		this.#outline ??= outline(this.source)
		return this.#outline
	}

	offset(position: Position): number {
		const at = this.document.offsetAt(position)
		return this.source.ascii ? at : Buffer.byteLength(this.document.getText().slice(0, at))
	}

	position(offset: number): Position {
		const { source } = this
		const line = source.line(Math.min(offset, source.bytes.length))
		const start = source.lineStarts[line - 1]!
		const before = source.bytes.slice(start, offset)
		return { line: line - 1, character: source.ascii ? before.length : decodeUtf8(before).length }
	}

	/** `end` is exclusive. */
	range(start: number, end: number): Range {
		return { start: this.position(start), end: this.position(Math.max(start, end)) }
	}
}
