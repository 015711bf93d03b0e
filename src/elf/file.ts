import { closeSync, openSync, readSync } from 'node:fs'

/**
 * A 64-bit little-endian ELF file read piecewise: headers are kept, contents are read with pread as they are asked for,
 * so that a 200 MB binary costs what one looks at. Synchronous: for use in the worker.
 */
export interface ElfFile {
	readonly machine: 'x86-64' | 'arm64' | 'other'
	readonly sections: readonly ElfSection[]
	readonly segments: readonly ElfSegment[]
	section(name: string): ElfSection | undefined
	/** Up to `length` bytes at file offset `at`; shorter at the end of the file. */
	read(at: number, length: number): Buffer
	/** The same, valid until the next call for any file: for whoever looks through much of it. */
	readShared(at: number, length: number): Buffer
	/** File offset of a virtual address, undefined when no loaded segment holds it. */
	fileOffset(address: number): number | undefined
	close(): void
}

export interface ElfSection {
	readonly name: string
	readonly type: number
	readonly address: number
	readonly offset: number
	readonly size: number
	readonly link: number
	readonly entrySize: number
}

export interface ElfSegment {
	readonly type: number
	readonly offset: number
	readonly address: number
	readonly fileSize: number
	readonly memorySize: number
	readonly executable: boolean
}

/** More than any linker makes; a file that says more is broken or hostile. */
const MAX_SECTIONS = 4096
const MAX_NAMES = 1 << 20

/** undefined: not readable as such a file. */
export function openElf(path: string): ElfFile | undefined {
	let fd: number
	try {
		fd = openSync(path, 'r')
	} catch {
		// The process is gone, or the file is not ours to read: the caller counts it as unknown.
		return undefined
	}
	try {
		const file = parse(fd)
		if (file !== undefined) return file
	} catch {
		// A file that ends early or changes under us reads as not an ELF file.
	}
	closeSync(fd)
	return undefined
}

function parse(fd: number): ElfFile | undefined {
	const readInto = (buffer: Buffer, at: number, length: number): Buffer => {
		let got = 0
		while (got < length) {
			const count = readSync(fd, buffer, got, length - got, at + got)
			if (count === 0) break
			got += count
		}
		return buffer.subarray(0, got)
	}
	const read = (at: number, length: number): Buffer => readInto(Buffer.allocUnsafe(length), at, length)
	const header = read(0, 64)
	if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46) return undefined
	if (header[4] !== 2 || header[5] !== 1) return undefined
	const machineNumber = header.readUInt16LE(18)
	const segments = readSegments(read, header)
	const sections = readSections(read, header)
	let open = true
	return {
		machine: machineNumber === 62 ? 'x86-64' : machineNumber === 183 ? 'arm64' : 'other',
		sections,
		segments,
		section: (name) => sections.find((section) => section.name === name),
		read,
		readShared(at, length) {
			if (shared.length < length) shared = Buffer.allocUnsafeSlow(length)
			return readInto(shared, at, length)
		},
		fileOffset(address) {
			for (const s of segments) {
				if (s.type === 1 && address >= s.address && address < s.address + s.fileSize) {
					return address - s.address + s.offset
				}
			}
			return undefined
		},
		close() {
			if (open) closeSync(fd)
			open = false
		},
	}
}

/** One for all files of this thread: a fresh buffer for every megabyte is memory that only the garbage collector gives back. */
let shared = Buffer.alloc(0)

type Read = (at: number, length: number) => Buffer

function readSegments(read: Read, header: Buffer): ElfSegment[] {
	const size = header.readUInt16LE(54)
	const count = header.readUInt16LE(56)
	if (size < 56) return []
	const table = read(u64(header, 32), size * count)
	const segments: ElfSegment[] = []
	for (let at = 0; at + 56 <= table.length; at += size) {
		segments.push({
			type: table.readUInt32LE(at),
			executable: (table.readUInt32LE(at + 4) & 1) !== 0,
			offset: u64(table, at + 8),
			address: u64(table, at + 16),
			fileSize: u64(table, at + 32),
			memorySize: u64(table, at + 40),
		})
	}
	return segments
}

function readSections(read: Read, header: Buffer): ElfSection[] {
	const size = header.readUInt16LE(58)
	const count = header.readUInt16LE(60)
	const namesIndex = header.readUInt16LE(62)
	if (size < 64 || count > MAX_SECTIONS) return []
	const table = read(u64(header, 40), size * count)
	const names = namesOf(read, table, namesIndex * size)
	const sections: ElfSection[] = []
	for (let at = 0; at + 64 <= table.length; at += size) {
		sections.push({
			name: textAt(names, table.readUInt32LE(at)),
			type: table.readUInt32LE(at + 4),
			address: u64(table, at + 16),
			offset: u64(table, at + 24),
			size: u64(table, at + 32),
			link: table.readUInt32LE(at + 40),
			entrySize: u64(table, at + 56),
		})
	}
	return sections
}

function namesOf(read: Read, table: Buffer, at: number): Buffer {
	if (at + 64 > table.length) return Buffer.alloc(0)
	return read(u64(table, at + 24), Math.min(u64(table, at + 32), MAX_NAMES))
}

export function textAt(buffer: Buffer, at: number): string {
	if (at >= buffer.length) return ''
	const end = buffer.indexOf(0, at)
	return buffer.toString('latin1', at, end < 0 ? buffer.length : end)
}

/** Exact up to 2^53, which no file offset and no user address reaches. */
export function u64(buffer: Buffer, at: number): number {
	return buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * 4294967296
}
