import type { Native } from '../native.ts'
import { maxTextLength } from '../operators.ts'
import { FunctionError } from './function.ts'
import { type Flags, formatArgument, goType } from './sprintf-verbs.ts'

/** Go refuses wider fields too. */
const maxWidth = 1_000_000

/** Go's `fmt.Sprintf` over plain values. Secrets are refused: text made from one would show it. */
export function sprintf(pattern: string, args: readonly Native[]): string {
	const reader = new Reader(pattern)
	const given = new Arguments(args)
	let out = ''
	while (!reader.done) {
		out += reader.take(literal)
		if (reader.take(percent) === '') break
		out += directive(reader, given)
		if (out.length > maxTextLength)
			throw new FunctionError(`result is longer than ${maxTextLength} characters`)
	}
	return out + given.left()
}

const literal = /[^%]*/y
const percent = /%?/y
const flagChars = /[-+# 0]*/y
const star = /\*?/y
const number = /\d*/y
/** At the very end of the text it is taken for a verb. */
const dot = /(?:\.(?=[\s\S]))?/y
/** `[3]`; one that is not closed is only its bracket. */
const bracket = /(?:\[[^\]]*\]|\[)?/y
const anyChar = /[\s\S]?/uy

/** A text from left to right; what a pattern does not find is ''. */
class Reader {
	readonly #text: string
	#at = 0

	constructor(text: string) {
		this.#text = text
	}

	get done(): boolean {
		return this.#at >= this.#text.length
	}

	take(pattern: RegExp): string {
		pattern.lastIndex = this.#at
		const found = pattern.exec(this.#text)?.[0] ?? ''
		this.#at += found.length
		return found
	}
}

/** The arguments in their order, or as `[n]` asks for them. */
class Arguments {
	readonly #all: readonly Native[]
	#next = 0
	#picked = false

	constructor(all: readonly Native[]) {
		this.#all = all
	}

	/** `[n]`: the n-th comes next. False when there is none, or it is no number. */
	pick(index: string): boolean {
		this.#picked = true
		const number = /^\[\d+\]$/.test(index) ? Number(index.slice(1, -1)) : 0
		const known = number >= 1 && number <= this.#all.length
		if (known) this.#next = number - 1
		return known
	}

	get more(): boolean {
		return this.#next < this.#all.length
	}

	take(): Native | undefined {
		return this.more ? this.#all[this.#next++] : undefined
	}

	/** What Go says of arguments that nothing asked for, unless some were picked. */
	left(): string {
		if (this.#picked || !this.more) return ''
		const rest = this.#all.slice(this.#next)
		const texts = rest.map((arg) => (arg === null ? '<nil>' : `${goType(arg)}=${plain(arg)}`))
		return `%!(EXTRA ${texts.join(', ')})`
	}
}

/** What stands behind a "%": flags, width, precision, verb; before each of the last three an argument may be picked. */
function directive(reader: Reader, given: Arguments): string {
	const flags = readFlags(reader.take(flagChars))
	let out = ''
	let valid = true
	/** An argument was picked, and nothing has used it. */
	let pending = false
	const pick = (): void => {
		const index = reader.take(bracket)
		if (index === '') return
		if (given.pick(index)) pending = true
		else valid = false
	}
	/** A size from an argument; a complaint where that is none. */
	const sizeOf = (complaint: string, least: number): number | undefined => {
		pending = false
		const size = given.take()
		if (typeof size === 'number' && size >= least && size <= maxWidth) return size
		out += complaint
		return undefined
	}

	pick()
	if (reader.take(star) !== '') {
		const width = sizeOf('%!(BADWIDTH)', -maxWidth)
		if (width !== undefined) {
			flags.minus ||= width < 0
			flags.width = Math.abs(width)
		}
	} else {
		flags.width = sizeIn(reader.take(number))
		if (pending && flags.width !== undefined) valid = false
	}
	if (reader.take(dot) !== '') {
		if (pending) valid = false
		pick()
		if (reader.take(star) !== '') flags.precision = sizeOf('%!(BADPREC)', 0)
		else flags.precision = sizeIn(reader.take(number)) ?? 0
	}
	if (!pending) pick()
	const verb = reader.take(anyChar)
	// `%+v` asks for field names, not for signs.
	if (verb === 'v') flags.plus = false
	if (verb === '') return `${out}%!(NOVERB)`
	if (verb === '%') return `${out}%`
	if (!valid) return `${out}%!${verb}(BADINDEX)`
	if (!given.more) return `${out}%!${verb}(MISSING)`
	return out + formatArgument(given.take()!, verb, flags)
}

const readFlags = (text: string): Flags => ({
	plus: text.includes('+'),
	minus: text.includes('-'),
	sharp: text.includes('#'),
	space: text.includes(' '),
	zero: text.includes('0'),
	width: undefined,
	precision: undefined,
})

/** undefined: none, or more than Go takes. */
function sizeIn(text: string): number | undefined {
	const size = Number(text)
	return text === '' || size > maxWidth ? undefined : size
}

const plain = (arg: Native): string => formatArgument(arg, 'v', readFlags(''))
