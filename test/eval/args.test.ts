import { describe, expect, expectTypeOf, it } from 'vitest'
import {
	type ArgsOf,
	attr,
	block,
	blocks,
	defineArgs,
	label,
	mapBlock,
	optionalBlock,
} from '../../src/eval/args.ts'
import { decodeBody } from '../../src/eval/decode.ts'
import { deepEqual } from '../../src/eval/equal.ts'
import { DiagnosticError, Evaluator } from '../../src/eval/evaluate.ts'
import { fromNative } from '../../src/eval/native.ts'
import { createScope } from '../../src/eval/scope.ts'
import {
	bool,
	capsule,
	duration,
	enumOf,
	float,
	int,
	list,
	map,
	optional,
	secret,
	string,
} from '../../src/eval/types.ts'
import { CapsuleValue, Secret, type Value } from '../../src/eval/values.ts'
import { formatDiagnostic } from '../../src/syntax/diag.ts'
import { parseFile } from '../../src/syntax/parser.ts'

const schema = defineArgs(
	{
		name: attr(string, { required: true }),
		count: attr(int, { default: 7 }),
		ratio: attr(float),
		wait: attr(duration, { default: 5000 }),
		dns: attr(optional(bool)),
		level: attr(enumOf(['low', 'high'], (text) => `unrecognized level "${text}"`)),
		tags: attr(list(string)),
		headers: attr(map(string)),
		token: attr(secret),
		port: attr(capsule<{ id: number }>('test.Port')),
		queue: block({ size: attr(int, { default: 1000 }) }),
		tls: optionalBlock({ insecure: attr(bool) }),
		rule: blocks({ label: label(), action: attr(string, { required: true }) }),
		free: mapBlock(string),
	},
	{ validate: (args) => (args.count < 0 ? 'count must not be negative' : undefined) },
)

const port = { id: 1 }
const names = new Map<string, Value>([
	['port', new CapsuleValue('test.Port', port)],
	['other', new CapsuleValue('test.Other', {})],
	['key', fromNative({ object: { field1: [15, 30, 'Hello, world!'] } })],
])

function decode<T>(text: string, into: Parameters<typeof decodeBody<T>>[0]): T {
	const { file, diagnostics } = parseFile('t.alloy', text)
	expect(diagnostics).toEqual([])
	return decodeBody(into, file.body, new Evaluator(file.source, createScope(names)))
}

function refusal(text: string, into: Parameters<typeof decodeBody<unknown>>[0] = schema): string {
	try {
		decode(text, into)
		return 'accepted'
	} catch (reason) {
		return reason instanceof DiagnosticError ? formatDiagnostic(reason.diagnostic) : (reason as Error).message
	}
}

describe('argument schemas', () => {
	it('give static types', () => {
		type Args = ArgsOf<typeof schema>
		expectTypeOf<Args['name']>().toEqualTypeOf<string>()
		expectTypeOf<Args['dns']>().toEqualTypeOf<boolean | undefined>()
		expectTypeOf<Args['level']>().toEqualTypeOf<'low' | 'high'>()
		expectTypeOf<Args['queue']>().toEqualTypeOf<{ readonly size: number }>()
		expectTypeOf<Args['tls']>().toEqualTypeOf<{ readonly insecure: boolean } | undefined>()
		expectTypeOf<Args['rule'][number]['label']>().toEqualTypeOf<string>()
		expectTypeOf<Args['port']>().toEqualTypeOf<{ id: number } | undefined>()
	})

	it('fill in defaults, for blocks that are not written too', () => {
		const args = decode('name = "x"', schema)
		expect(args).toMatchObject({
			name: 'x',
			count: 7,
			ratio: 0,
			wait: 5000,
			level: 'low',
			tags: [],
			queue: { size: 1000 },
			rule: [],
			free: {},
		})
		expect(args.dns).toBeUndefined()
		expect(args.tls).toBeUndefined()
	})

	it('decode and convert what is written', () => {
		const args = decode(
			`name = 12
count = "3"
ratio = "1.5"
wait = "1h1m1.5s"
dns = false
level = "high"
tags = ["a", 1]
headers = { a = "b", "c d" = 2 }
token = "t"
port = port
queue { }
tls { insecure = true }
rule "one" { action = "keep" }
rule "two" { action = "drop" }
free { x = "y" }`,
			schema,
		)
		expect(args).toMatchObject({
			name: '12',
			count: 3,
			ratio: 1.5,
			wait: 3_661_500,
			dns: false,
			level: 'high',
			tags: ['a', '1'],
			queue: { size: 1000 },
			tls: { insecure: true },
			rule: [
				{ label: 'one', action: 'keep' },
				{ label: 'two', action: 'drop' },
			],
		})
		expect({ ...args.headers }).toEqual({ a: 'b', 'c d': '2' })
		expect({ ...args.free }).toEqual({ x: 'y' })
		expect(args.token.reveal()).toBe('t')
		expect(`${args.token} ${JSON.stringify(args)}`).not.toContain('"t"')
		expect(args.port).toBe(port)
	})

	it('take null for the zero value, also of a required attribute', () => {
		expect(decode('name = null\ncount = null\nwait = null\ntags = null', schema)).toMatchObject({
			name: '',
			count: 0,
			wait: 0,
			tags: [],
		})
	})

	it.each([
		['', 'missing required attribute "name"'],
		['name = "x"\nnope = 1', 't.alloy:2:1: unrecognized attribute name "nope"'],
		['name = "x"\nnope { }', 't.alloy:2:1: unrecognized block name "nope"'],
		['name = "x"\nname = "y"', 't.alloy:2:1: attribute "name" may only be provided once'],
		['name { }', 't.alloy:1:1: "name" must be an attribute, but is used as a block'],
		['name = "x"\nqueue = 1', 't.alloy:2:1: "queue" must be a block, but is used as an attribute'],
		['name = "x"\nqueue { }\nqueue { }', 't.alloy:2:1: block "queue" may only be specified once'],
		['name = "x"\nqueue "l" { }', 't.alloy:2:1: block "queue" does not support specifying labels'],
		['name = "x"\nrule { action = "a" }', 't.alloy:2:1: block "rule" requires non-empty label'],
		['name = "x"\nrule "l" { }', 'missing required attribute "action"'],
		['name = "x"\nfree { b { } }', 't.alloy:2:8: nested blocks not supported here'],
		['name = "x"\ncount = -1', 'count must not be negative'],
		['name = true', 't.alloy:1:8: true should be string, got bool'],
		['name = "x"\ncount = "1x"', 't.alloy:2:9: "1x" should be number, got string'],
		['name = "x"\ndns = "true"', 't.alloy:2:7: "true" should be bool, got string'],
		[
			'name = "x"\nwait = "5 parsecs"',
			't.alloy:2:8: "5 parsecs" time: unknown unit " parsecs" in duration "5 parsecs"',
		],
		['name = "x"\nlevel = "no"', 't.alloy:2:9: "no" unrecognized level "no"'],
		['name = "x"\ntags = "a"', 't.alloy:2:8: "a" should be array, got string'],
		['name = "x"\ntags = ["a", [1]]', 't.alloy:2:14: [1] should be string, got array'],
		[
			'name = "x"\nport = other',
			't.alloy:2:8: other expected capsule("test.Port"), got capsule("test.Other")',
		],
		['name = "x"\nport = "p"', 't.alloy:2:8: "p" should be capsule, got string'],
		['name = "x"\ntags = [port]', 't.alloy:2:9: port should be string, got capsule'],
	])("refuse %j with Alloy's text", (text, message) => {
		expect(refusal(text)).toBe(message)
	})

	it('name the path into a value that stands elsewhere', () => {
		const nested = defineArgs({ key: attr(map(map(list(float)))) })
		expect(refusal('key = key', nested)).toBe(
			't.alloy:1:7: key.object.field1[2] should be number, got string',
		)
		expect(refusal('key = { object = { object = true } }', nested)).toBe(
			't.alloy:1:29: true should be array, got bool',
		)
	})

	it('compare deeply, host objects and secrets included', () => {
		const a = decode('name = "x"\nport = port\ntoken = "t"', schema)
		const b = decode('name = "x"\nport = port\ntoken = "t"', schema)
		expect(deepEqual(a, b)).toBe(true)
		expect(deepEqual(a, decode('name = "x"\nport = port\ntoken = "u"', schema))).toBe(false)
		names.set('port', new CapsuleValue('test.Port', { id: 1 }))
		expect(deepEqual(a, decode('name = "x"\nport = port\ntoken = "t"', schema))).toBe(false)
		expect(deepEqual(new Secret('a'), new Secret('a'))).toBe(true)
	})
})
