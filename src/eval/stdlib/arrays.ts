import { ValueError } from '../errors.ts'
import {
	ArrayValue,
	FunctionValue,
	isZero,
	nullValue,
	ObjectValue,
	stringValue,
	type Value,
} from '../values.ts'
import { argumentType, UnplacedError } from './function.ts'

/** Results are cut off here: three maps of a million rows each must not become 10^12. */
const maxItems = 1_000_000

export const concat = new FunctionValue('array.concat', (_self, args) => {
	const items: Value[] = []
	for (const arg of args) if (arg.type !== 'array') throw argumentType(arg, 'array')
	if (args.length === 1) return args[0]!
	for (const arg of args) if (arg.type === 'array') for (const item of arg.items) items.push(item)
	return new ArrayValue(items)
})

export const coalesce = new FunctionValue('coalesce', (_self, args) => {
	for (const arg of args) if (!isZero(arg)) return arg
	return args.at(-1) ?? nullValue
})

export const combineMaps = new FunctionValue('array.combine_maps', (_self, args) => {
	if (args.length !== 3 && args.length !== 4)
		throw new UnplacedError(`combine_maps: expected 3 or 4 arguments, got ${args.length}`)
	const [left, right, conditions, passthrough] = args as [Value, Value, Value, Value | undefined]
	const rows = [left, right].map(objectsOf) as [readonly ObjectValue[], readonly ObjectValue[]]
	if (conditions.type !== 'array') throw argumentType(conditions, 'array')
	if (conditions.items.length === 0)
		throw new ValueError({
			kind: 'argument',
			value: conditions,
			inner: 'combine_maps: merge conditions must not be empty',
		})
	if (passthrough !== undefined && passthrough.type !== 'bool') throw argumentType(passthrough, 'bool')
	const keep = passthrough?.type === 'bool' && passthrough.data
	const keys = conditions.items.map((key) => {
		if (key.type !== 'string') throw argumentType(key, 'string')
		return key.text
	})
	const out: Value[] = []
	for (const a of rows[0]) {
		for (const b of rows[1]) {
			if (joins(a, b, keys)) out.push(new ObjectValue(new Map([...a.fields, ...b.fields])))
			else if (keep) out.push(a)
			if (out.length > maxItems) throw new UnplacedError(`combine_maps: more than ${maxItems} results`)
		}
	}
	return new ArrayValue(out)
})

function objectsOf(value: Value): readonly ObjectValue[] {
	if (value.type !== 'array') throw argumentType(value, 'array')
	return value.items.map((item) => {
		if (item.type !== 'object') throw argumentType(item, 'object')
		return item
	})
}

const joins = (a: ObjectValue, b: ObjectValue, keys: readonly string[]): boolean =>
	keys.every((key) => {
		const left = a.fields.get(key)
		const right = b.fields.get(key)
		return left !== undefined && right !== undefined && sameValue(left, right)
	})

/** Alloy compares here without converting: 1 is not 1.0. What Go cannot compare (arrays, objects) is never the same. */
function sameValue(a: Value, b: Value): boolean {
	if (a.type === 'number' && b.type === 'number') return a.kind === b.kind && a.data === b.data
	if (a.type === 'string' && b.type === 'string') return a.text === b.text
	if (a.type === 'bool' && b.type === 'bool') return a.data === b.data
	return a.type === 'null' && b.type === 'null'
}

export const groupBy = new FunctionValue('array.group_by', (_self, args) => {
	if (args.length !== 3) throw new UnplacedError(`group_by: expected 3 arguments, got ${args.length}`)
	const [rows, key, dropMissing] = args as [Value, Value, Value]
	if (rows.type !== 'array') throw argumentType(rows, 'array')
	if (key.type !== 'string') throw argumentType(key, 'string')
	if (dropMissing.type !== 'bool') throw argumentType(dropMissing, 'bool')
	const groups = new Map<string, Value[]>()
	for (const row of rows.items) {
		if (row.type !== 'object') throw argumentType(row, 'object')
		const found = row.fields.get(key.text)
		if (found === undefined && dropMissing.data) continue
		if (found !== undefined && found.type !== 'string') throw argumentType(found, 'string')
		const name = found?.text ?? ''
		const group = groups.get(name)
		if (group === undefined) groups.set(name, [row])
		else group.push(row)
	}
	return new ArrayValue(
		[...groups].map(
			([name, items]) =>
				new ObjectValue(
					new Map<string, Value>([
						[key.text, stringValue(name)],
						['items', new ArrayValue(items)],
					]),
				),
		),
	)
})
