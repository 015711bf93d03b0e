import type { ElfFile } from './file.ts'

/**
 * Where in a function a uprobe costs least (design, section 3): the first instruction that the kernel emulates instead of
 * single-stepping (0.4–1.1 µs instead of 28–44 µs), as long as the code before it runs straight and has left the argument
 * registers alone. 0 when there is none: the entry is always right, only dear.
 */
export function probeOffset(machine: ElfFile['machine'], code: Uint8Array): number {
	if (machine === 'x86-64') return x86(code)
	if (machine === 'arm64') return arm64(code)
	return 0
}

/** The function's probe place as file offset, undefined when its address is in no segment. */
export function probeSite(file: ElfFile, symbol: { address: number; size: number }): number | undefined {
	const offset = file.fileOffset(symbol.address)
	if (offset === undefined) return undefined
	const length = symbol.size > 0 ? Math.min(symbol.size, WINDOW) : WINDOW
	return offset + probeOffset(file.machine, file.read(offset, length))
}

/** Bytes looked at: a prologue is no longer. */
const WINDOW = 96

/** rcx 1, rdx 2, rsi 6, rdi 7, r8, r9. */
const X86_ARGUMENTS = new Set([1, 2, 6, 7, 8, 9])

function x86(code: Uint8Array): number {
	let at = 0
	while (at < code.length) {
		const step = x86Step(code, at)
		if (step === 'emulated') return at
		if (step === 0) return 0
		at += step
	}
	return 0
}

/** Length of a harmless instruction, 'emulated', or 0 for anything unknown, branching or touching an argument. */
function x86Step(code: Uint8Array, start: number): number | 'emulated' {
	let at = start
	// endbr64
	if (code[at] === 0xf3 && code[at + 1] === 0x0f && code[at + 2] === 0x1e && code[at + 3] === 0xfa) return 4
	let segment = false
	if (code[at] === 0x64) {
		segment = true
		at++
	}
	let operand16 = false
	if (code[at] === 0x66) {
		operand16 = true
		at++
	}
	let rex = 0
	if (((code[at] ?? 0) & 0xf0) === 0x40) rex = code[at++] as number
	const opcode = code[at++]
	if (opcode === undefined) return 0
	const plain = !segment && !operand16
	if (plain && opcode >= 0x50 && opcode <= 0x57 && (rex === 0 || rex === 0x41)) return 'emulated'
	if (plain && rex === 0 && (opcode === 0x90 || opcode === 0xe8 || opcode === 0xe9 || opcode === 0xeb)) {
		return 'emulated'
	}
	if (plain && rex === 0 && opcode >= 0x70 && opcode <= 0x7f) return 'emulated'
	if (plain && rex === 0 && opcode === 0x0f && ((code[at] ?? 0) & 0xf0) === 0x80) return 'emulated'
	if (operand16) return 0

	const modrm = code[at]
	if (modrm === undefined) return 0
	const length = x86ModrmLength(code, at)
	const register = ((modrm >> 3) & 7) | ((rex & 4) << 1)
	const target = (modrm & 7) | ((rex & 1) << 3)
	const direct = modrm >> 6 === 3
	switch (opcode) {
		// cmp, test: only flags are written
		case 0x38:
		case 0x39:
		case 0x3a:
		case 0x3b:
		case 0x84:
		case 0x85:
			return at + length - start
		// group 1 with immediate: add, or, and, sub, xor, cmp
		case 0x80:
		case 0x83:
		case 0x81: {
			const immediate = opcode === 0x81 ? 4 : 1
			const compares = ((modrm >> 3) & 7) === 7
			if (!compares && direct && X86_ARGUMENTS.has(target)) return 0
			return at + length + immediate - start
		}
		// test r/m, imm
		case 0xf6:
			return ((modrm >> 3) & 7) === 0 ? at + length + 1 - start : 0
		// xor, sub, mov to r/m
		case 0x31:
		case 0x29:
		case 0x89:
		case 0x88:
			return direct && X86_ARGUMENTS.has(target) ? 0 : at + length - start
		// xor, mov, lea to register
		case 0x33:
		case 0x8b:
		case 0x8d:
			return X86_ARGUMENTS.has(register) ? 0 : at + length - start
		// mov r/m, imm32
		case 0xc7:
			return direct && X86_ARGUMENTS.has(target) ? 0 : at + length + 4 - start
		default:
			return 0
	}
}

/** ModRM with SIB and displacement. */
function x86ModrmLength(code: Uint8Array, at: number): number {
	const modrm = code[at] as number
	const mod = modrm >> 6
	const rm = modrm & 7
	if (mod === 3) return 1
	let length = 1
	if (rm === 4) {
		length++
		if (mod === 0 && ((code[at + 1] ?? 0) & 7) === 5) length += 4
	} else if (mod === 0 && rm === 5) length += 4
	if (mod === 1) length += 1
	if (mod === 2) length += 4
	return length
}

function arm64(code: Uint8Array): number {
	const view = new DataView(code.buffer, code.byteOffset, code.byteLength)
	for (let at = 0; at + 4 <= code.length; at += 4) {
		const word = view.getUint32(at, true)
		if (arm64Emulated(word)) return at
		if (!arm64Harmless(word)) return 0
	}
	return 0
}

/** What arch/arm64/kernel/probes/decode-insn.c simulates for uprobes: branches and PC-relative loads. */
function arm64Emulated(word: number): boolean {
	const top6 = word >>> 26
	if (top6 === 0b000101 || top6 === 0b100101) return true // b, bl
	if (word >>> 24 === 0b01010100) return true // b.cond
	if (((word >>> 25) & 0x3f) === 0b011010) return true // cbz, cbnz
	if (((word >>> 25) & 0x3f) === 0b011011) return true // tbz, tbnz
	if (((word >>> 24) & 0x1f) === 0b10000 && (word & 31) > 7) return true // adr, adrp to a non-argument
	return false
}

function arm64Harmless(word: number): boolean {
	if ((word & 0xfffff01f) >>> 0 === 0xd503201f) return true // hints: bti, paciasp, nop
	if ((word & 0x7e400000) >>> 0 === 0x28000000) return true // stp
	if ((word & 0x3fc00000) >>> 0 === 0x39000000) return true // str, immediate offset
	const destination = word & 31
	// add, sub (immediate); mov (orr with zr): to sp, x8 and above
	const writes = (word & 0x1f000000) >>> 0 === 0x11000000 || (word & 0x7fe0ffe0) >>> 0 === 0x2a0003e0
	return writes && destination > 7
}
