import { type ElfFile, type ElfSection, u64 } from './file.ts'

/** SHT_GNU_HASH. */
const GNU_HASH = 0x6ffffff6
const HEADER = 16
/** Links of a chain read at once: longer chains are rare. */
const LINKS = 16
/** Symbols of one name differ by version; more is a broken or hostile file. */
const MOST_CANDIDATES = 64

/**
 * The table by which the dynamic linker finds a name in .dynsym: some reads of a few bytes, where a search reads all symbols
 * and all names, some megabytes of a runtime. It has the defined symbols only.
 */
export interface GnuHash {
	/** Indices in .dynsym of symbols that may have this name: the name itself is still to be compared. */
	candidates(name: string): number[]
}

/** undefined: the file has no such table, which says nothing of its symbols. */
export function openGnuHash(file: ElfFile, dynsym: ElfSection): GnuHash | undefined {
	const section = file.sections.find(({ type, link }) => type === GNU_HASH && file.sections[link] === dynsym)
	if (section === undefined) return undefined
	const header = file.read(section.offset, HEADER)
	if (header.length < HEADER) return undefined
	const [buckets, first] = [header.readUInt32LE(0), header.readUInt32LE(4)]
	const [words, shift] = [header.readUInt32LE(8), header.readUInt32LE(12)]
	if (buckets === 0 || words === 0) return undefined
	const bucketsAt = section.offset + HEADER + words * 8
	const chainsAt = bucketsAt + buckets * 4
	const end = section.offset + section.size
	if (chainsAt > end) return undefined

	function mayHave(hash: number): boolean {
		const word = file.read(section!.offset + HEADER + ((hash >>> 6) % words) * 8, 8)
		return word.length === 8 && bit(word, hash & 63) && bit(word, (hash >>> (shift & 31)) & 63)
	}

	return {
		candidates(name) {
			const hash = hashOf(name)
			const found: number[] = []
			if (!mayHave(hash)) return found
			const bucket = file.read(bucketsAt + (hash % buckets) * 4, 4)
			let index = bucket.length === 4 ? bucket.readUInt32LE(0) : 0
			if (index < first) return found
			for (;;) {
				const at = chainsAt + (index - first) * 4
				const links = file.read(at, Math.min(LINKS * 4, Math.max(0, end - at)))
				if (links.length < 4) return found
				for (let i = 0; i + 4 <= links.length; i += 4, index++) {
					const link = links.readUInt32LE(i)
					if ((link | 1) === (hash | 1)) found.push(index)
					// The lowest bit ends the chain.
					if ((link & 1) !== 0 || found.length === MOST_CANDIDATES) return found
				}
			}
		},
	}
}

const bit = (word: Buffer, at: number): boolean => (((word[at >>> 3] as number) >>> (at & 7)) & 1) === 1

function hashOf(name: string): number {
	let hash = 5381
	for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 33) + name.charCodeAt(i)) >>> 0
	return hash
}

/** One entry of a symbol table. */
export const SYMBOL_BYTES = 24

/** undefined: undefined in this file, or neither function nor object. */
export function symbolAt(entry: Buffer, at: number): { address: number; size: number } | undefined {
	const kind = (entry[at + 4] as number) & 0xf
	if (entry.readUInt16LE(at + 6) === 0 || (kind !== 1 && kind !== 2 && kind !== 10)) return undefined
	return { address: u64(entry, at + 8), size: u64(entry, at + 16) }
}
