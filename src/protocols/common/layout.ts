/**
 * Where the fields of the kernel's records lie. The shape is that of the object's own BTF, so that the generated
 * layout is handed in as it is.
 */
export interface RecordLayout {
	readonly structs: readonly StructLayout[]
}

export interface StructLayout {
	readonly name: string
	/** Bytes. */
	readonly size: number
	readonly members: readonly MemberLayout[]
}

export interface MemberLayout {
	readonly name: string
	/** Bytes from the start of the struct. */
	readonly offset: number
	readonly size: number
	/** C type as text: 'u32', 'u8[16]', 'struct vor_address'. */
	readonly type: string
}

export type Offsets = (path: string) => number

/**
 * Byte offsets of one struct, nested fields as `local.port`. A field that the layout lacks is an error at construction:
 * never a wrong read later.
 */
export function offsetsOf(layout: RecordLayout, struct: string): Offsets & { readonly size: number } {
	const found = new Map<string, number>()
	const top = structNamed(layout, struct)
	collect(layout, top, '', 0, found)
	const lookup = (path: string): number => {
		const offset = found.get(path)
		if (offset === undefined) throw new Error(`the record layout has no field ${struct}.${path}`)
		return offset
	}
	return Object.assign(lookup, { size: top.size })
}

function collect(
	layout: RecordLayout,
	struct: StructLayout,
	prefix: string,
	base: number,
	into: Map<string, number>,
): void {
	for (const member of struct.members) {
		const path = prefix + member.name
		into.set(path, base + member.offset)
		const nested = /^struct (\w+)$/.exec(member.type)
		if (nested !== null)
			collect(layout, structNamed(layout, nested[1]!), `${path}.`, base + member.offset, into)
	}
}

function structNamed(layout: RecordLayout, name: string): StructLayout {
	const struct = layout.structs.find((candidate) => candidate.name === name)
	if (struct === undefined) throw new Error(`the record layout has no struct ${name}`)
	return struct
}
