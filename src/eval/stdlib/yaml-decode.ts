import {
	isAlias,
	isMap,
	isScalar,
	isSeq,
	LineCounter,
	type Node,
	parseAllDocuments,
	Scalar,
	type YAMLError,
} from 'yaml'
import {
	ArrayValue,
	BytesValue,
	boolValue,
	CapsuleValue,
	floatValue,
	hostIntValue,
	nullValue,
	ObjectValue,
	stringValue,
	uintValue,
	type Value,
} from '../values.ts'
import { FunctionError } from './function.ts'

/** Values that aliases may add: a small document must not become huge. */
const maxNodes = 1_000_000
/** Deeper documents are refused before a recursive parser sees them. */
const maxDepth = 500

/** YAML as Go's yaml.v3 reads it into `any`: the first document, plain scalars resolved by its rules. */
export function decodeYaml(text: string): Value {
	refuseBytes(text)
	refuseDirective(text)
	const lines = new LineCounter()
	if (deepest(text) > maxDepth) throw new FunctionError('yaml: exceeded max depth')
	const documents = parseAllDocuments(text, {
		schema: 'failsafe',
		lineCounter: lines,
		prettyErrors: false,
		uniqueKeys: false,
	})
	const first = Array.isArray(documents) ? documents[0] : undefined
	if (first === undefined) return nullValue
	const problem = first.errors[0]
	if (problem !== undefined)
		throw new FunctionError(problemText(problem, lines.linePos(problem.pos[0]).line, text))
	return new Reader(lines, text).document(first.contents)
}

/** Bytes that are no UTF-8, and control characters. */
function refuseBytes(text: string): void {
	if (/[\uDC80-\uDCFF]/.test(text.replace(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g, '')))
		throw new FunctionError('yaml: invalid leading UTF-8 octet')
	if (/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text))
		throw new FunctionError('yaml: control characters are not allowed')
}

/** A `%` at the very start begins a directive; Go knows YAML and TAG only. */
function refuseDirective(text: string): void {
	const match = /^%([A-Za-z0-9_-]*)([\s\S]?)/.exec(text)
	if (match === null || /^%(YAML|TAG)[ \t]/.test(text)) return
	if (match[1] === '') throw new FunctionError('yaml: could not find expected directive name')
	if (/^[ \t\r\n]?$/.test(match[2]!)) throw new FunctionError('yaml: found unknown directive name')
	throw new FunctionError('yaml: found unexpected non-alphabetical character')
}

/** Go's text where the problem is one of the usual ones, else the parser's own. */
function problemText(problem: YAMLError, at: number, text: string): string {
	const known = goText(problem)
	const open = known?.startsWith('did not find') === true
	// What is missing at the end is missed on the line after the last one, which Go counts from 0.
	const line = open ? text.replace(/\n$/, '').split('\n').length : at
	const place = line > 1 || open ? `line ${line}: ` : ''
	return `yaml: ${known === undefined ? `line ${line}: ${problem.message}` : place + known}`
}

function goText(problem: YAMLError): string | undefined {
	switch (problem.code) {
		case 'BLOCK_AS_IMPLICIT_KEY':
		case 'MULTILINE_IMPLICIT_KEY':
			return 'mapping values are not allowed in this context'
		case 'BAD_SCALAR_START':
		case 'TAB_AS_INDENT':
			return 'found character that cannot start any token'
		case 'MISSING_CHAR':
			if (/quote/.test(problem.message)) return 'found unexpected end of stream'
			if (/\]/.test(problem.message)) return "did not find expected ',' or ']'"
			if (/\}/.test(problem.message)) return "did not find expected ',' or '}'"
			if (/indicator|map keys|separated/.test(problem.message)) return "could not find expected ':'"
			return undefined
		case 'UNEXPECTED_TOKEN':
			return /Unexpected scalar/.test(problem.message) ? "could not find expected ':'" : undefined
		case 'BAD_DQ_ESCAPE':
			return 'found unknown escape character'
		case 'BAD_INDENT':
			return /collection/.test(problem.message) ? 'did not find expected key' : undefined
		default:
			return undefined
	}
}

/** An upper bound of the nesting: open brackets, and levels of indentation or of dashes on one line. */
function deepest(text: string): number {
	let open = 0
	let most = 0
	for (let at = 0; at < text.length; at++) {
		const char = text.charCodeAt(at)
		if (char === 0x5b || char === 0x7b) most = Math.max(most, ++open)
		else if ((char === 0x5d || char === 0x7d) && open > 0) open--
	}
	for (const line of text.match(/^[ \-?]*/gm) ?? []) most = Math.max(most, line.length)
	return most
}

class Reader {
	readonly #lines: LineCounter
	readonly #text: string
	readonly #anchors = new Map<string, Value>()
	#count = 0

	constructor(lines: LineCounter, text: string) {
		this.#lines = lines
		this.#text = text
	}

	document(node: Node | null): Value {
		return node === null ? nullValue : this.#value(node, 0)
	}

	#value(node: unknown, depth: number): Value {
		if (depth > maxDepth) throw new FunctionError('yaml: exceeded max depth')
		if (isAlias(node)) {
			const value = this.#anchors.get(node.source)
			if (value === undefined) throw new FunctionError(`yaml: unknown anchor '${node.source}' referenced`)
			this.#weigh(weight(value, maxNodes))
			return value
		}
		this.#weigh(1)
		const value = this.#made(node, depth)
		if (isScalar(node) || isMap(node) || isSeq(node))
			if (node.anchor !== undefined) this.#anchors.set(node.anchor, value)
		return value
	}

	#weigh(nodes: number): void {
		this.#count += nodes
		if (this.#count > maxNodes) throw new FunctionError('yaml: document contains excessive aliasing')
	}

	#made(node: unknown, depth: number): Value {
		if (isScalar(node)) return scalarValue(node, this.#text)
		if (isSeq(node)) return new ArrayValue(node.items.map((item) => this.#value(item, depth + 1)))
		if (!isMap(node)) return nullValue
		const own = new Map<string, Value>()
		const merged = new Map<string, Value>()
		const places = new Map<string, number>()
		let foreign = false
		for (const pair of node.items) {
			if (isScalar(pair.key) && pair.key.value === '<<' && pair.key.type === Scalar.PLAIN) {
				this.#merge(this.#value(pair.value, depth + 1), merged)
				continue
			}
			const key = this.#value(pair.key, depth + 1)
			const text = key.type === 'string' ? key.text : undefined
			const line = this.#lines.linePos(isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0).line
			if (text === undefined) {
				foreign = true
				this.#value(pair.value, depth + 1)
				continue
			}
			const before = places.get(text)
			if (before !== undefined)
				throw new FunctionError(
					`yaml: unmarshal errors:\n  line ${line}: mapping key ${JSON.stringify(text)} already defined at line ${before}`,
				)
			places.set(text, line)
			own.set(text, pair.value === null ? nullValue : this.#value(pair.value, depth + 1))
		}
		if (foreign) return new CapsuleValue('map[interface {}]interface {}', own)
		return new ObjectValue(new Map([...merged, ...own]))
	}

	#merge(value: Value, into: Map<string, Value>): void {
		if (value.type === 'array') {
			for (const item of [...value.items].reverse()) this.#merge(item, into)
			return
		}
		if (value.type !== 'object')
			throw new FunctionError('yaml: map merge requires map or sequence of maps as the value')
		for (const [key, item] of value.fields) into.set(key, item)
	}
}

/** How many values an alias stands for, counted up to `limit`. */
function weight(value: Value, limit: number): number {
	let count = 0
	const pending: Value[] = [value]
	while (pending.length > 0 && count < limit) {
		const one = pending.pop()!
		count++
		if (one.type === 'array' && !(one instanceof BytesValue)) pending.push(...one.items)
		else if (one.type === 'object') pending.push(...one.fields.values())
	}
	return count
}

/** Scalars that a tag may ask for, by the value that they then must be. */
const tagged = /^(?:!!|tag:yaml\.org,2002:)(int|float|bool|null)$/

function scalarValue(node: Scalar, source: string): Value {
	const { tag, type } = node
	const text = isUnended(node, source) ? String(node.value).slice(0, -1) : String(node.value ?? '')
	if (tag === '!!str' || tag === 'tag:yaml.org,2002:str') return stringValue(text)
	const wanted = tag === undefined ? undefined : tagged.exec(tag)?.[1]
	if (wanted !== undefined) return asTagged(text, wanted)
	return type === Scalar.PLAIN ? resolvePlain(text) : stringValue(text)
}

/** A block scalar ends with a line break only where its last line does: at the end of the text it may not. */
const isUnended = ({ type, value, range }: Scalar, source: string): boolean =>
	(type === Scalar.BLOCK_LITERAL || type === Scalar.BLOCK_FOLDED) &&
	(range?.[1] ?? 0) >= source.length &&
	!source.endsWith('\n') &&
	String(value).endsWith('\n')

function asTagged(text: string, wanted: string): Value {
	const value = resolvePlain(text)
	const kind = kindOf(value)
	if (kind === wanted) return value
	if (kind === 'int' && wanted === 'float') return floatValue(Number(text.replaceAll('_', '')))
	throw new FunctionError(`yaml: cannot decode !!${kind} \`${text}\` as a !!${wanted}`)
}

function kindOf(value: Value): string {
	if (value.type === 'number') return value.kind === 'float' ? 'float' : 'int'
	return value.type === 'string' ? 'str' : value.type
}

const numberStart = /^[-+.0-9]/

/** What a plain scalar is: Go's table of words, then integers in Go's notations, then floats, then dates. */
export function resolvePlain(text: string): Value {
	switch (text) {
		case '':
		case '~':
		case 'null':
		case 'Null':
		case 'NULL':
			return nullValue
		case 'true':
		case 'True':
		case 'TRUE':
			return boolValue(true)
		case 'false':
		case 'False':
		case 'FALSE':
			return boolValue(false)
		case '.nan':
		case '.NaN':
		case '.NAN':
			return floatValue(Number.NaN)
		case '.inf':
		case '.Inf':
		case '.INF':
		case '+.inf':
		case '+.Inf':
		case '+.INF':
			return floatValue(Number.POSITIVE_INFINITY)
		case '-.inf':
		case '-.Inf':
		case '-.INF':
			return floatValue(Number.NEGATIVE_INFINITY)
	}
	if (!numberStart.test(text)) return stringValue(text)
	return numberOf(text) ?? dateOf(text) ?? stringValue(text)
}

function numberOf(text: string): Value | undefined {
	const plain = text.replaceAll('_', '')
	const match = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9][0-9]*|0)$/.exec(plain)
	if (match !== null) {
		const digits = match[2]!.replace(/^0(?=[0-7]+$)/, '0o').toLowerCase()
		const data = match[1] === '-' ? -BigInt(digits) : BigInt(digits)
		if (data >= -(2n ** 63n) && data < 2n ** 63n) return hostIntValue(data)
		if (data >= 0n && data < 2n ** 64n) return uintValue(data)
	}
	if (!/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain)) return undefined
	const data = Number(plain)
	// What is too large stays text, as it does for Go.
	return Number.isFinite(data) ? floatValue(data) : undefined
}

/** A date or time becomes a string in RFC 3339, as Go prints the time it made of it. */
function dateOf(text: string): Value | undefined {
	const match =
		/^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d{1,9})?[ \t]*(Z|[-+]\d{2}:\d{2})?)?$/.exec(
			text,
		)
	if (match === null) return undefined
	const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match
	const two = (part: string): string => part.padStart(2, '0')
	const date = `${year}-${two(month!)}-${two(day!)}`
	const check = new Date(`${date}T00:00:00Z`)
	if (Number.isNaN(check.getTime()) || check.toISOString().slice(0, 10) !== date) return undefined
	if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
	const part = fraction.replace(/0+$/, '').replace(/^\.$/, '')
	return stringValue(`${date}T${two(hour)}:${two(minute)}:${two(second)}${part}${zone}`)
}
