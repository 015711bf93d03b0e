import { expect, it } from 'vitest'
import { encodeJson } from '../../src/eval/stdlib/json-encode.ts'
import { parseJsonForPath } from '../../src/eval/stdlib/json-path-document.ts'
import { findPath } from '../../src/eval/stdlib/json-path-find.ts'
import { parsePath } from '../../src/eval/stdlib/json-path-parse.ts'
import { ArrayValue } from '../../src/eval/values.ts'

const document =
	'[{"a":1,"b":"x"},{"a":2,"b":"ä"},{"a":3.5},{"a":null},{"b":[1,2]},{"a":false},{"b":""},{"c":{}}]'

/** What the library behind Alloy's `json_path` found. */
const cases: readonly (readonly [path: string, found: string])[] = [
	['$[?(@.a)]', '[{"a":1,"b":"x"},{"a":2,"b":"ä"},{"a":3.5},{"a":null},{"a":false}]'],
	['$[?@.b[0]]', '[{"b":[1,2]}]'],
	['$[?(!@.a)]', '[{"b":[1,2]},{"b":""},{"c":{}}]'],
	['$[?(@.a && @.b)]', '[{"a":1,"b":"x"},{"a":2,"b":"ä"}]'],
	['$[?(@.c || @.a > 3)]', '[{"a":3.5},{"c":{}}]'],
	['$[?(@.a == 2 || @.c && @.b)]', '[{"a":2,"b":"ä"}]'],
	['$[?(@.* == 2)]', '[{"a":2,"b":"ä"}]'],
	['$[?(@.b[*] == 2)]', '[{"b":[1,2]}]'],
	["$[?(@.* == 1 && @.* == 'x')]", '[{"a":1,"b":"x"}]'],
	['$[?(!@.a == 1)]', '[{"a":2,"b":"ä"},{"a":3.5},{"a":null},{"b":[1,2]},{"a":false},{"b":""},{"c":{}}]'],
	[
		'$[?(@.c + 1 == Nothing)]',
		'[{"a":1,"b":"x"},{"a":2,"b":"ä"},{"a":3.5},{"a":null},{"b":[1,2]},{"a":false},{"b":""},{"c":{}}]',
	],
	['$[?(@.a / 2 == 1)]', '[{"a":2,"b":"ä"}]'],
	['$[?(@.a * 2 == 7.0)]', '[{"a":3.5}]'],
	['$[?(length(@.b) == 2)]', '[{"a":2,"b":"ä"},{"b":[1,2]}]'],
	['$[?(count(@.*) == 2)]', '[{"a":1,"b":"x"},{"a":2,"b":"ä"}]'],
	['$[?(@.b empty true)]', '[{"b":""}]'],
	['$[?(@.a empty false)]', '[]'],
	['$[?(@.a exists false)]', '[{"b":[1,2]},{"b":""},{"c":{}}]'],
	["$[?(search(@.b, 'y') == Nothing)]", '[{"a":3.5},{"a":null},{"b":[1,2]},{"a":false},{"c":{}}]'],
	["$[?(match(@.b, 'x'))]", '[{"a":1,"b":"x"}]'],
	['$[?(@.a in [1, 2.0, null])]', '[{"a":1,"b":"x"},{"a":null}]'],
	['$[?(@.a < $[1].a)]', '[{"a":1,"b":"x"}]'],
	['$[?(@.a - 1 - 1 == 0)]', '[{"a":2,"b":"ä"}]'],
]

it.each(cases)('%s finds what it finds in Alloy', (path, found) => {
	const values = findPath(parsePath(path), parseJsonForPath(document))
	expect(encodeJson(new ArrayValue(values))).toBe(found)
})

it('a filter with more combinations than can be tried is refused', () => {
	const list = `[[${Array.from({ length: 60 }, (_, i) => i).join(',')}]]`
	expect(() => findPath(parsePath('$[?(@[*] + @[*] + @[*] < 0)]'), parseJsonForPath(list))).toThrow(
		'a filter has more than 100000 cases',
	)
})
