import { type ElfFile, type ElfSection, textAt } from './file.ts'
import { openGnuHash, SYMBOL_BYTES, symbolAt } from './gnu-hash.ts'

export interface ElfSymbol {
	readonly name: string
	readonly address: number
	readonly size: number
}

const SYMTAB = 2
const DYNSYM = 11
/** Read at once of a table or of its names, so memory stays flat on binaries with a million symbols. */
const CHUNK = 10_000 * SYMBOL_BYTES

/** Defined functions and objects with one of these names, from .dynsym first, then .symtab. Stops when all are found. */
export function findSymbols(file: ElfFile, wanted: Iterable<string>): Map<string, ElfSymbol> {
	const missing = new Set(wanted)
	const found = findExported(file, missing)
	for (const name of found.keys()) missing.delete(name)
	const table = sectionOf(file, SYMTAB)
	if (table !== undefined && missing.size > 0) searchTable(file, table, missing, found)
	return found
}

/** Of those the ones that other files may use: what a runtime offers to its extensions. */
export function findExported(file: ElfFile, wanted: Iterable<string>): Map<string, ElfSymbol> {
	const found = new Map<string, ElfSymbol>()
	const table = sectionOf(file, DYNSYM)
	if (table === undefined) return found
	const hash = openGnuHash(file, table)
	const strings = file.sections[table.link]
	if (hash === undefined || strings === undefined) {
		searchTable(file, table, new Set(wanted), found)
		return found
	}
	for (const name of wanted) {
		for (const index of hash.candidates(name)) {
			const entry = file.read(table.offset + index * SYMBOL_BYTES, SYMBOL_BYTES)
			if (entry.length < SYMBOL_BYTES) continue
			const symbol = symbolAt(entry, 0)
			const nameAt = strings.offset + entry.readUInt32LE(0)
			if (symbol === undefined || textAt(file.read(nameAt, name.length + 1), 0) !== name) continue
			found.set(name, { name, ...symbol })
			break
		}
	}
	return found
}

function sectionOf(file: ElfFile, type: number): ElfSection | undefined {
	return file.sections.find((section) => section.type === type)
}

function searchTable(
	file: ElfFile,
	table: ElfSection,
	missing: Set<string>,
	found: Map<string, ElfSymbol>,
): void {
	const strings = file.sections[table.link]
	if (strings === undefined) return
	// Comparing the bytes of a name is dear in JavaScript: the wanted names are looked for in the string table first, and
	// then only numbers are compared.
	const names = offsetsOf(file, strings, [...missing])
	if (names.size === 0) return
	for (let at = 0; at < table.size && missing.size > 0; at += CHUNK) {
		const chunk = file.readShared(table.offset + at, Math.min(CHUNK, table.size - at))
		for (let i = 0; i + SYMBOL_BYTES <= chunk.length; i += SYMBOL_BYTES) {
			const name = names.get(chunk.readUInt32LE(i))
			if (name === undefined) continue
			const symbol = symbolAt(chunk, i)
			if (symbol !== undefined && missing.delete(name)) found.set(name, { name, ...symbol })
		}
	}
}

/** Every offset at which one of the names stands whole: linkers share tails, so not only after a NUL. */
function offsetsOf(file: ElfFile, strings: ElfSection, names: readonly string[]): Map<number, string> {
	const offsets = new Map<number, string>()
	const needles = names.map((name) => Buffer.from(`${name}\0`, 'latin1'))
	// A name may lie across two chunks.
	const overlap = Math.max(0, ...needles.map(({ length }) => length - 1))
	for (let from = 0; from < strings.size; from += CHUNK - overlap) {
		const chunk = file.readShared(strings.offset + from, Math.min(CHUNK, strings.size - from))
		for (const [i, needle] of needles.entries()) {
			for (let at = chunk.indexOf(needle); at >= 0; at = chunk.indexOf(needle, at + 1)) {
				offsets.set(from + at, names[i] as string)
			}
		}
		if (from + chunk.length >= strings.size || chunk.length <= overlap) break
	}
	return offsets
}
