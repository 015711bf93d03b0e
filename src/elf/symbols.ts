import { type ElfFile, type ElfSection, textAt, u64 } from './file.ts'

export interface ElfSymbol {
	readonly name: string
	readonly address: number
	readonly size: number
}

const SYMTAB = 2
const DYNSYM = 11
const ENTRY = 24
/** Entries read at once: 96 KiB of table, so memory stays flat on binaries with a million symbols. */
const CHUNK = 4096
/** String tables above this are read name by name. */
const MAX_STRINGS = 8 << 20

/** Defined functions and objects with one of these names, from .dynsym first, then .symtab. Stops when all are found. */
export function findSymbols(file: ElfFile, wanted: Iterable<string>): Map<string, ElfSymbol> {
	const missing = new Set(wanted)
	const found = new Map<string, ElfSymbol>()
	for (const type of [DYNSYM, SYMTAB]) {
		const table = file.sections.find((section) => section.type === type)
		if (table !== undefined && missing.size > 0) searchTable(file, table, missing, found)
	}
	return found
}

function searchTable(
	file: ElfFile,
	table: ElfSection,
	missing: Set<string>,
	found: Map<string, ElfSymbol>,
): void {
	const stringSection = file.sections[table.link]
	if (stringSection === undefined) return
	const strings =
		stringSection.size <= MAX_STRINGS ? file.read(stringSection.offset, stringSection.size) : undefined
	const longest = Math.max(...[...missing].map((name) => name.length))
	const nameOf = (at: number): string => {
		if (strings !== undefined) return textAt(strings, at)
		return textAt(file.read(stringSection.offset + at, longest + 1), 0)
	}
	// Comparing the bytes of a name is dear in JavaScript: where the string table is in memory, the wanted names are
	// looked for there first, and then only numbers are compared.
	const offsets = strings === undefined ? undefined : offsetsOf(strings, missing)
	if (offsets?.size === 0) return
	for (let at = 0; at < table.size && missing.size > 0; at += CHUNK * ENTRY) {
		const chunk = file.read(table.offset + at, Math.min(CHUNK * ENTRY, table.size - at))
		for (let i = 0; i + ENTRY <= chunk.length; i += ENTRY) {
			const nameAt = chunk.readUInt32LE(i)
			if (nameAt === 0 || (offsets !== undefined && !offsets.has(nameAt))) continue
			const kind = (chunk[i + 4] as number) & 0xf
			if (chunk.readUInt16LE(i + 6) === 0 || (kind !== 1 && kind !== 2 && kind !== 10)) continue
			const name = nameOf(nameAt)
			if (!missing.delete(name)) continue
			found.set(name, { name, address: u64(chunk, i + 8), size: u64(chunk, i + 16) })
		}
	}
}

/** Every offset at which one of the names stands whole: linkers share tails, so not only after a NUL. */
function offsetsOf(strings: Buffer, names: Iterable<string>): Set<number> {
	const offsets = new Set<number>()
	for (const name of names) {
		const needle = Buffer.from(`${name}\0`, 'latin1')
		for (let at = strings.indexOf(needle); at >= 0; at = strings.indexOf(needle, at + 1)) offsets.add(at)
	}
	return offsets
}
