import { readFileSync } from 'node:fs'
import type { MemberLayout, RecordLayout, StructLayout } from '../../../src/protocols/common/layout.ts'

/** bpf/events.h read as C: what the compiler will make of it, and the enums' numbers. */
export interface Contract extends RecordLayout {
	readonly enums: ReadonlyMap<string, number>
}

const SIZES: Record<string, number> = { __u8: 1, __u16: 2, __u32: 4, __u64: 8, char: 1 }

export function readContract(): Contract {
	const source = readFileSync(new URL('../../../bpf/events.h', import.meta.url), 'utf8').replace(
		/\/\*.*?\*\//gs,
		'',
	)
	const constants = new Map<string, number>()
	for (const [, name, value] of source.matchAll(/^#define (\w+) (\d+)\s*$/gm))
		constants.set(name!, Number(value))
	for (const [, body] of source.matchAll(/enum \w+ \{(.*?)\};/gs))
		for (const [, name, value] of body!.matchAll(/(\w+) = ([^,]+),/g)) constants.set(name!, evaluate(value!))
	const structs: StructLayout[] = []
	for (const [, name, body] of source.matchAll(/struct (\w+) \{(.*?)\};/gs))
		structs.push(layoutOf(name!, body!, structs, constants))
	return { structs, enums: constants }
}

function evaluate(text: string): number {
	const shift = /^(\d+) << (\d+)$/.exec(text.trim())
	return shift === null ? Number(text) : Number(shift[1]) << Number(shift[2])
}

function layoutOf(
	name: string,
	body: string,
	known: readonly StructLayout[],
	constants: ReadonlyMap<string, number>,
): StructLayout {
	const members: MemberLayout[] = []
	let offset = 0
	let align = 1
	for (const [, type, field, , count] of body.matchAll(/^\s*((?:struct )?\w+) (\w+)(\[(\w+)\])?;/gm)) {
		const struct = known.find((each) => `struct ${each.name}` === type)
		const unit = struct?.size ?? SIZES[type!]
		if (unit === undefined) throw new Error(`unknown type ${type} in ${name}`)
		// All nested structs of the contract hold a 64-bit or smaller-aligned field; addresses align to 2.
		const unitAlign = struct === undefined ? unit : type === 'struct vor_address' ? 2 : alignOf(type!)
		const size = unit * (count === undefined ? 1 : (constants.get(count) ?? Number(count)))
		offset = Math.ceil(offset / unitAlign) * unitAlign
		members.push({ name: field!, offset, size, type: struct === undefined ? type! : `struct ${struct.name}` })
		offset += size
		align = Math.max(align, unitAlign)
	}
	return { name, size: Math.ceil(offset / align) * align, members }
}

function alignOf(type: string): number {
	return type === 'struct vor_record_header' ? 4 : 8
}
