import { string } from '../types.ts'
import { ArrayValue } from '../values.ts'
import { typedFunction } from './function.ts'
import { parseJsonForPath } from './json-path-document.ts'
import { findPath } from './json-path-find.ts'
import { parsePath } from './json-path-parse.ts'

/** Goessner's JSONPath as the library behind Alloy's `json_path` reads it. */
export const jsonPath = typedFunction('json_path', [string, string], (document, path) => {
	const fragments = parsePath(path)
	return new ArrayValue(findPath(fragments, parseJsonForPath(document)))
})
