import { commentText } from '../../src/syntax/comment-text.ts'
import { isIdentifier, Scanner } from '../../src/syntax/scanner.ts'
import { Source } from '../../src/syntax/source.ts'
import { Token } from '../../src/syntax/token.ts'
import { type ConformanceResult, compare, differ, sharedJson } from './result.ts'

interface Fixture {
	readonly tokens: readonly (readonly [string, string])[]
	readonly errors: readonly { input: string; offset: number; error: string }[]
	readonly identifiers: { readonly valid: readonly string[]; readonly invalid: readonly string[] }
}

const names = new Map<number, string>(Object.entries(Token).map(([name, kind]) => [kind, name.toUpperCase()]))

/** Single tokens, lexical errors and identifiers, as Alloy's scanner tests have them. */
export async function run(): Promise<ConformanceResult> {
	const { tokens, errors, identifiers } = sharedJson<Fixture>('scanner.json')
	const cases: { name: string; wanted: unknown; got: unknown }[] = []
	for (const [kind, text] of tokens) {
		const scanner = new Scanner(new Source('t', text), (_, message) => cases.push(unexpected(text, message)))
		scanner.next()
		const comment = kind === 'COMMENT'
		// The newline that ends a comment is no part of it.
		const wanted = [kind, comment ? commentText(text.replace(/\n$/, '')) : text]
		const got = [names.get(scanner.kind), comment ? commentText(scanner.text()) : scanner.text()]
		cases.push({ name: `token ${text}`, wanted, got })
	}
	for (const { input, offset, error } of errors) {
		const found: [number, string][] = []
		const scanner = new Scanner(new Source('t', input), (at, message) => found.push([at, message]))
		scanner.next()
		cases.push({ name: `error in ${JSON.stringify(input)}`, wanted: [offset, error], got: found[0] })
	}
	for (const text of identifiers.valid)
		cases.push({ name: `identifier ${text}`, wanted: true, got: isIdentifier(text) })
	for (const text of identifiers.invalid)
		cases.push({ name: `identifier ${text}`, wanted: false, got: isIdentifier(text) })
	return compare('scanner', cases, ({ name, wanted, got }) => differ(name, wanted, got))
}

function unexpected(text: string, message: string): { name: string; wanted: unknown; got: unknown } {
	return { name: `token ${text}`, wanted: 'no error', got: message }
}
