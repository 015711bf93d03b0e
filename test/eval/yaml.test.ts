import { expect, it } from 'vitest'
import { encodeJson } from '../../src/eval/stdlib/json-encode.ts'
import { decodeYaml } from '../../src/eval/stdlib/yaml-decode.ts'
import type { Value } from '../../src/eval/values.ts'

const kind = (value: Value): string => (value.type === 'number' ? value.kind : value.type)

/** What yaml.v3 made of it. */
it.each([
	['|\n  one\n  two', '"one\\ntwo"', 'string'],
	['|\n  one\n  two\n', '"one\\ntwo\\n"', 'string'],
	['|+\n  one\n\n', '"one\\n\\n"', 'string'],
	['|-\n  one\n', '"one"', 'string'],
	['>\n  one\n  two', '"one two"', 'string'],
	['a: |\n  one\nb: >\n  two', '{"a":"one\\n","b":"two"}', 'object'],
	['1e400', '"1e400"', 'string'],
	['-1e400', '"-1e400"', 'string'],
	['1e300', '1e+300', 'float'],
	['!!float 1', '1', 'float'],
	['!!float 0x10', '16', 'float'],
	['!!int "3"', '3', 'int'],
	['!!bool true', 'true', 'bool'],
	['!!null ~', 'null', 'null'],
	['!!str 1', '"1"', 'string'],
])('%j is %s', (text, json, wanted) => {
	const value = decodeYaml(text)
	expect(encodeJson(value)).toBe(json)
	expect(kind(value)).toBe(wanted)
})

it.each([
	['!!bool yes', 'yaml: cannot decode !!str `yes` as a !!bool'],
	['!!null x', 'yaml: cannot decode !!str `x` as a !!null'],
	['!!int 1.5', 'yaml: cannot decode !!float `1.5` as a !!int'],
])('%j is refused as Go refuses it', (text, message) => {
	expect(() => decodeYaml(text)).toThrow(message)
})
