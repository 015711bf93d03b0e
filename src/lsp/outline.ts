import { Scanner } from '../syntax/scanner.ts'
import { decodeUtf8, type Source } from '../syntax/source.ts'
import { Token } from '../syntax/token.ts'

/**
 * The blocks and attributes of a text, made out from its tokens alone, so that a text that is being typed has one too.
 * Offsets are byte offsets; ends are exclusive. Never throws.
 */
export interface Outline {
	readonly root: BlockNode
	/** Where the cursor stands, as far as the brackets before it tell. */
	at(offset: number): Place
}

export interface BlockNode {
	/** Dotted; '' for the root. */
	readonly name: string
	readonly label: string
	readonly start: number
	readonly nameEnd: number
	/** End of the header: of its label where it has one. */
	readonly headEnd: number
	/** After the opening brace. */
	readonly bodyStart: number
	/** Of the closing brace, or of the text when it is missing. */
	end: number
	readonly parent: BlockNode | undefined
	readonly blocks: BlockNode[]
	readonly attributes: AttributeNode[]
}

export interface AttributeNode {
	readonly name: string
	readonly start: number
	readonly nameEnd: number
	/** Of the value so far. */
	end: number
}

export type Place =
	| { readonly kind: 'statement'; readonly block: BlockNode }
	| { readonly kind: 'value'; readonly block: BlockNode; readonly attribute: AttributeNode }
	/** Inside a string of a value: its bytes from `start` (after the quote) on. */
	| {
			readonly kind: 'string'
			readonly block: BlockNode
			readonly attribute: AttributeNode
			readonly start: number
			readonly end: number
	  }
	/** A comment, a label, the head of a block. */
	| { readonly kind: 'nothing'; readonly block: BlockNode }

interface Frame {
	readonly close: Token
	/** undefined for brackets inside a value. */
	readonly block: BlockNode | undefined
}

interface Head {
	readonly parts: string[]
	readonly start: number
	nameEnd: number
	label: string
	headEnd: number
}

export function outline(source: Source): Outline {
	const end = source.bytes.length
	const root: BlockNode = {
		name: '',
		label: '',
		start: 0,
		nameEnd: 0,
		headEnd: 0,
		bodyStart: 0,
		end,
		parent: undefined,
		blocks: [],
		attributes: [],
	}
	// From each of these offsets on the place is this, until the next one. Sorted, as they are found.
	const marks: { readonly from: number; readonly place: Place }[] = []
	const mark = (from: number, place: Place) => void marks.push({ from, place })
	const frames: Frame[] = []
	let block = root
	/** Open `declare` and `template` blocks. */
	let modules = 0
	/** Ends of line comments and of what is not closed yet: there the cursor is still inside. */
	const inside = new Map<number, Place>()
	let head: Head | undefined
	let attribute: AttributeNode | undefined

	const statement = (from: number) => {
		head = undefined
		attribute = undefined
		mark(from, { kind: 'statement', block })
	}
	const rest = (from: number) =>
		mark(from, attribute === undefined ? { kind: 'statement', block } : { kind: 'value', block, attribute })
	const close = (at: number) => {
		if (isModuleName(block.name)) modules--
		block.end = at
		block = block.parent ?? root
		frames.length = Math.max(
			0,
			frames.findLastIndex((frame) => frame.block !== undefined),
		)
	}

	statement(0)
	const scanner = new Scanner(source, () => {})
	for (scanner.next(); scanner.kind !== Token.Eof; scanner.next()) {
		const { kind, start, end: stop } = scanner
		const inBrackets = frames.length > 0 && frames.at(-1)!.block === undefined
		if (kind === Token.Comment) {
			mark(start, { kind: 'nothing', block })
			const text = source.bytes.slice(start, stop)
			if (text.startsWith('//') || text.length < 4 || !text.endsWith('*/'))
				inside.set(stop, { kind: 'nothing', block })
			rest(stop)
			continue
		}
		if (
			kind === Token.Ident &&
			startsOver(source, start, block, inBrackets || attribute !== undefined, modules > 0)
		) {
			while (block !== root) close(start)
			frames.length = 0
			statement(start)
		}
		if (attribute !== undefined) {
			if (kind === Token.Terminator && (frames.length === 0 || frames.at(-1)!.block !== undefined)) {
				statement(stop)
				continue
			}
			if (kind === Token.RCurly && !inBrackets) {
				if (block !== root) close(start)
				statement(stop)
				continue
			}
			attribute.end = kind === Token.Terminator ? attribute.end : stop
			bracket(kind, frames)
			if (kind === Token.String) {
				const end = stringEnd(source, start, stop)
				const place: Place = { kind: 'string', block, attribute, start: start + 1, end }
				mark(start + 1, place)
				if (end === stop) inside.set(stop, place)
				mark(stop, { kind: 'value', block, attribute })
			}
			continue
		}
		switch (kind) {
			case Token.Ident:
				if (head === undefined)
					head = { parts: [scanner.text()], start, nameEnd: stop, label: '', headEnd: stop }
				else if (source.bytes[start - 1] === '.') {
					head.parts.push(scanner.text())
					head.nameEnd = stop
					head.headEnd = stop
				}
				break
			case Token.String:
				mark(start + 1, { kind: 'nothing', block })
				mark(stop, { kind: 'nothing', block })
				if (head !== undefined) {
					head.label = scanner.text().replace(/^"|"$/g, '')
					head.headEnd = stop
				}
				break
			case Token.Assign: {
				attribute = {
					name: head?.parts.join('.') ?? '',
					start: head?.start ?? start,
					nameEnd: head?.nameEnd ?? start,
					end: stop,
				}
				if (head !== undefined) block.attributes.push(attribute)
				mark(stop, { kind: 'value', block, attribute })
				break
			}
			case Token.LCurly: {
				const child: BlockNode = {
					name: head?.parts.join('.') ?? '',
					label: head?.label ?? '',
					start: head?.start ?? start,
					nameEnd: head?.nameEnd ?? start,
					headEnd: head?.headEnd ?? start,
					bodyStart: stop,
					end,
					parent: block,
					blocks: [],
					attributes: [],
				}
				block.blocks.push(child)
				block = child
				if (isModuleName(child.name)) modules++
				frames.push({ close: Token.RCurly, block: child })
				statement(stop)
				break
			}
			case Token.RCurly:
				if (block !== root) close(start)
				statement(stop)
				break
			case Token.Terminator:
				statement(stop)
				break
			default:
		}
	}
	return {
		root,
		at: (offset) => inside.get(offset) ?? placeAt(marks, offset),
	}
}

/** Brackets inside a value; a brace there is an object. */
function bracket(kind: Token, frames: Frame[]): void {
	switch (kind) {
		case Token.LCurly:
			frames.push({ close: Token.RCurly, block: undefined })
			return
		case Token.LBrack:
			frames.push({ close: Token.RBrack, block: undefined })
			return
		case Token.LParen:
			frames.push({ close: Token.RParen, block: undefined })
			return
		case Token.RCurly:
		case Token.RBrack:
		case Token.RParen: {
			const top = frames.at(-1)
			if (top?.block === undefined && top?.close === kind) frames.pop()
			return
		}
		default:
	}
}

/** A block head at the very start of a line, with a label, though something is still open: the end of that was not typed yet. */
const newBlock = /[A-Za-z_][\w.]*[ \t]+"[^"\n]*"[ \t]*\{/y

function startsOver(
	source: Source,
	start: number,
	block: BlockNode,
	inValue: boolean,
	inModule: boolean,
): boolean {
	if (start > 0 && source.bytes[start - 1] !== '\n') return false
	if (block.parent === undefined && !inValue) return false
	// Inside a module blocks with labels are at home, also unindented ones.
	if (inModule && !inValue) return false
	newBlock.lastIndex = start
	return newBlock.test(source.bytes)
}

const isModuleName = (name: string): boolean => name === 'declare' || name === 'template'

function stringEnd(source: Source, start: number, stop: number): number {
	const closed = stop > start + 1 && source.bytes[stop - 1] === source.bytes[start]
	return closed ? stop - 1 : stop
}

function placeAt(marks: readonly { readonly from: number; readonly place: Place }[], offset: number): Place {
	let low = 0
	let high = marks.length
	while (high - low > 1) {
		const middle = (low + high) >>> 1
		if (marks[middle]!.from <= offset) low = middle
		else high = middle
	}
	return marks[low]!.place
}

/** An identifier with what is accessed on it, around or before an offset. */
export interface Chain {
	readonly start: number
	readonly end: number
	readonly parts: readonly { readonly name: string; readonly start: number; readonly end: number }[]
	/** Index of the part that holds the offset. */
	readonly index: number
}

const wordByte = /[\w\x80-\xff]/

/** The dotted name that the offset is in, or right after. */
export function chainAt(source: Source, offset: number): Chain | undefined {
	const { bytes } = source
	const inside = (at: number) =>
		at >= 0 && at < bytes.length && (wordByte.test(bytes[at]!) || bytes[at] === '.')
	let start = offset
	while (inside(start - 1)) start--
	let end = offset
	while (inside(end)) end++
	if (start === end) return undefined
	const parts: { name: string; start: number; end: number }[] = []
	let at = start
	for (const part of bytes.slice(start, end).split('.')) {
		parts.push({ name: decodeUtf8(part), start: at, end: at + part.length })
		at += part.length + 1
	}
	if (parts.every((part) => part.name === '')) return undefined
	const index = parts.findIndex((part) => offset <= part.end)
	return { start, end, parts, index: index < 0 ? parts.length - 1 : index }
}
