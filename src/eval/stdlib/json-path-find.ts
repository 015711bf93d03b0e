import type { Value } from '../values.ts'
import { FunctionError } from './function.ts'
import type { Fragment } from './json-path-syntax.ts'
import { passes } from './json-path-test.ts'

/** Results are bounded: `..` repeated would multiply them without end. */
const maxResults = 100_000

/** All values a path leads to, in the order of the document. */
export function findPath(path: readonly Fragment[], document: Value): readonly Value[] {
	if (path.length === 0) return []
	return follow(path, document, document)
}

function follow(path: readonly Fragment[], from: Value, root: Value): readonly Value[] {
	let current: readonly Value[] = [from]
	for (const fragment of path) {
		const next: Value[] = []
		for (const value of current) {
			step(fragment, value, root, next)
			if (next.length > maxResults) throw new FunctionError(`json_path: more than ${maxResults} results`)
		}
		current = next
	}
	return current
}

function step(fragment: Fragment, value: Value, root: Value, out: Value[]): void {
	switch (fragment.kind) {
		case 'root':
			out.push(root)
			return
		case 'current':
			out.push(value)
			return
		case 'wildcard':
			out.push(...children(value))
			return
		case 'descent':
			descend(value, out)
			return
		case 'child':
			member(value, fragment.name, out)
			return
		case 'nth':
			member(value, fragment.index, out)
			return
		case 'union':
			for (const one of fragment.members) member(value, one, out)
			return
		case 'slice':
			if (value.type === 'array') slice(value.items, fragment, out)
			return
		case 'filter':
			for (const child of children(value))
				if (passes(fragment.test, (path) => follow(path, child, root))) out.push(child)
	}
}

function children(value: Value): readonly Value[] {
	if (value.type === 'array') return value.items
	return value.type === 'object' ? [...value.fields.values()] : []
}

/** The value and everything below it that has members, innermost first. */
function descend(value: Value, out: Value[]): void {
	const pending: { readonly value: Value; seen: boolean }[] = [{ value, seen: false }]
	while (pending.length > 0 && out.length <= maxResults) {
		const top = pending.at(-1)!
		if (top.seen || (top.value.type !== 'array' && top.value.type !== 'object')) {
			pending.pop()
			if (top.seen) out.push(top.value)
			continue
		}
		top.seen = true
		for (const child of [...children(top.value)].reverse()) pending.push({ value: child, seen: false })
	}
}

function member(value: Value, key: string | number, out: Value[]): void {
	if (typeof key === 'string') {
		const found = value.type === 'object' ? value.fields.get(key) : undefined
		if (found !== undefined) out.push(found)
		return
	}
	const found = value.type === 'array' ? value.items.at(key) : undefined
	if (found !== undefined) out.push(found)
}

/** The end is not included. */
function slice(items: readonly Value[], range: Extract<Fragment, { kind: 'slice' }>, out: Value[]): void {
	const place = (at: number): number => (at < 0 ? items.length + at : at)
	const start = place(range.start)
	if (range.step === 0 || start < 0 || start >= items.length) return
	if (range.step > 0) {
		const end = Math.min(range.end === undefined ? items.length : place(range.end), items.length)
		for (let at = start; at < end; at += range.step) out.push(items[at]!)
		return
	}
	const end = range.end === undefined ? -1 : place(range.end)
	for (let at = start; at > end && at >= 0; at += range.step) out.push(items[at]!)
}
