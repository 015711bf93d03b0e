import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { type ElfFile, openElf } from '../../src/elf/file.ts'
import { probeOffset, probeSite } from '../../src/elf/probe-address.ts'
import { inspectExecutable } from '../../src/elf/runtime.ts'
import { findExported, findSymbols } from '../../src/elf/symbols.ts'

const folder = mkdtempSync(join(tmpdir(), 'vor-elf-'))
afterAll(() => rmSync(folder, { recursive: true }))

function open(path: string): ElfFile {
	const file = openElf(path)
	if (file === undefined) throw new Error(`${path} does not open`)
	return file
}

const source =
	'int vor_probe(int a, int b) { return a * b + 1; }\nint main(void) { return vor_probe(1, 2); }\n'

test('a symbol is found where the compiler put it, with and without a symbol table', () => {
	const c = join(folder, 'a.c')
	writeFileSync(c, source)
	const program = join(folder, 'a')
	execFileSync('gcc', ['-O1', '-fno-inline', '-rdynamic', '-o', program, c])
	const expected = execFileSync('nm', [program], { encoding: 'utf8' })
		.split('\n')
		.find((line) => line.endsWith(' vor_probe'))
	const address = Number.parseInt(expected?.split(' ')[0] ?? '', 16)
	const look = () => {
		const file = open(program)
		try {
			return findSymbols(file, ['vor_probe', 'vor_absent'])
		} finally {
			file.close()
		}
	}
	expect(look().get('vor_probe')?.address).toBe(address)
	expect(look().size).toBe(1)
	execFileSync('strip', [program])
	expect(look().get('vor_probe')?.address).toBe(address)
})

/** All defined symbols as nm tells them. */
function namesOf(path: string, ...flags: string[]): Map<string, number> {
	const text = execFileSync(
		'nm',
		['--defined-only', '--no-demangle', '--without-symbol-versions', ...flags, path],
		{
			encoding: 'utf8',
		},
	)
	const names = new Map<string, number>()
	for (const [, address, name] of text.matchAll(/^([0-9a-f]+) [TtDdRrBbWi] (\S+)$/gm))
		names.set(name as string, Number.parseInt(address as string, 16))
	return names
}

test('every exported symbol is found by its hash, with either form of hash table, and no other', () => {
	const names = Array.from({ length: 300 }, (_, i) => `vor_${i}_${'x'.repeat(i % 40)}`)
	const c = join(folder, 'many.c')
	writeFileSync(
		c,
		`${names.map((name) => `int ${name}(void) { return 1; }`).join('\n')}\nint absent_here(void);\nint user(void) { return absent_here(); }\n`,
	)
	for (const style of ['gnu', 'sysv', 'both']) {
		const library = join(folder, `many-${style}.so`)
		execFileSync('gcc', ['-shared', '-fPIC', '-s', `-Wl,--hash-style=${style}`, '-o', library, c])
		const expected = namesOf(library, '-D')
		const file = open(library)
		const found = findExported(file, [...names, 'user', 'absent_here', 'vor_', 'vor_0', 'vor_300_'])
		file.close()
		expect(found.size).toBe(names.length + 1)
		for (const [name, { address }] of found) expect([name, address]).toEqual([name, expected.get(name)])
	}
})

test('symbols are found in a table whose names are read in several pieces', () => {
	// Local ones, long enough that some names lie across two pieces.
	const names = Array.from({ length: 3000 }, (_, i) => `local_${i}_${'y'.repeat(150 + (i % 7))}`)
	const assembly = join(folder, 'long.s')
	writeFileSync(
		assembly,
		`.text\n${names.map((name) => `.type ${name}, @function\n${name}: nop\n`).join('')}`,
	)
	const library = join(folder, 'long.so')
	execFileSync('gcc', ['-shared', '-nostdlib', '-o', library, assembly])
	const expected = namesOf(library)
	const file = open(library)
	expect(findExported(file, names).size).toBe(0)
	const found = findSymbols(file, names)
	file.close()
	expect(found.size).toBe(names.length)
	for (const [name, { address }] of found) expect(address).toBe(expected.get(name))
})

test('a file offset stands where the program header says', () => {
	const file = open(process.execPath)
	const symbol = findSymbols(file, ['node_module_register']).get('node_module_register')
	expect(symbol).toBeDefined()
	const offset = file.fileOffset(symbol?.address ?? 0) ?? 0
	expect(offset).toBeGreaterThan(0)
	expect(file.fileOffset(1)).toBeUndefined()
	// objdump disassembles the same bytes at that address.
	const bytes = file.read(offset, 4).toString('hex')
	const start = symbol?.address ?? 0
	const text = execFileSync(
		'objdump',
		['-s', `--start-address=${start}`, `--stop-address=${start + 4}`, process.execPath],
		{ encoding: 'utf8' },
	)
	expect(text).toContain(bytes)
	file.close()
})

test('runtimes are known by what is linked in', () => {
	const kind = (path: string) => {
		const file = open(path)
		try {
			return inspectExecutable(file)
		} finally {
			file.close()
		}
	}
	expect(kind(process.execPath).language).toBe('nodejs')
	expect(kind('/usr/bin/env').language).toBe('generic')
	const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
		encoding: 'utf8',
	}).trim()
	expect(['python', 'generic']).toContain(kind(python).language)
	// Built without build information: known by its function table.
	expect(kind('node_modules/@esbuild/linux-x64/bin/esbuild').language).toBe('go')
})

test('a Go program tells its module and version', () => {
	const root = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim()
	const file = open(join(root, 'bin', 'go'))
	expect(inspectExecutable(file)).toMatchObject({
		language: 'go',
		runtimeVersion: expect.stringMatching(/^go1\./),
		linkedExporters: 'none',
	})
	file.close()
})

test.each<[string, string, number]>([
	['push first', '4154 55 53 488b6f08', 0],
	['endbr64, then push', 'f30f1efa 55 4889e5', 4],
	[
		'sub, stack canary, xor, test, js (SSL_read)',
		'4883ec18 64488b042528000000 4889442408 31c0 85d2 782f',
		22,
	],
	['sub, then call', '4883ec08 e800000000', 4],
	['mov to a saved register, then je', '4889fb 4885f6 0f8402040000', 6],
	['an argument register is overwritten first', '4889f7 55', 0],
	['an unknown instruction comes first', 'c5f877 55', 0],
	['nothing that is emulated', '4883ec08 4883c408 c3', 0],
	['cut in the middle of an instruction', '48', 0],
	['empty', '', 0],
])('x86-64: %s', (_, hex, expected) => {
	expect(probeOffset('x86-64', Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toBe(expected)
})

test.each<[string, number[], number]>([
	['stp, mov, bl', [0xa9be7bfd, 0x910003fd, 0x94000010], 8],
	['bti, stp, cbz', [0xd503245f, 0xa9be7bfd, 0xb4000060], 8],
	['an argument register is overwritten first', [0xaa0103e0, 0x94000010], 0],
])('arm64: %s', (_, words, expected) => {
	expect(probeOffset('arm64', new Uint8Array(new Uint32Array(words).buffer))).toBe(expected)
})

test('any code gives a place inside it', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 96 }), fc.constantFrom('x86-64', 'arm64'), (code, machine) => {
			const at = probeOffset(machine as 'x86-64' | 'arm64', new Uint8Array(code))
			expect(at).toBeGreaterThanOrEqual(0)
			expect(at === 0 || at < code.length).toBe(true)
		}),
	)
})

test("nginx's chain writer gets a place at an instruction that the kernel emulates", (context) => {
	if (!existsSync('/usr/sbin/nginx')) context.skip('nginx is not installed')
	const file = open('/usr/sbin/nginx')
	const symbol = findSymbols(file, ['ngx_chain_writer']).get('ngx_chain_writer')
	if (symbol === undefined) throw new Error('nginx does not export ngx_chain_writer')
	const site = probeSite(file, symbol) ?? 0
	expect(site).toBeGreaterThanOrEqual(file.fileOffset(symbol.address) ?? 0)
	expect(['50', '51', '52', '53', '54', '55', '56', '57', '41', '0f', 'e8', '90']).toContain(
		file.read(site, 1).toString('hex'),
	)
	file.close()
})

test('what is no ELF file, cut or hostile reads as none and never throws', () => {
	expect(openElf(join(folder, 'absent'))).toBeUndefined()
	const whole = open('/usr/bin/env').read(0, 65536)
	const path = join(folder, 'broken')
	fc.assert(
		fc.property(
			fc.nat(whole.length),
			fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 20 }),
			(length, changes) => {
				const bytes = Buffer.from(whole.subarray(0, length))
				for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
				writeFileSync(path, bytes)
				const file = openElf(path)
				if (file === undefined) return
				try {
					inspectExecutable(file)
					findSymbols(file, ['main', 'x'])
				} finally {
					file.close()
				}
			},
		),
		{ numRuns: 200 },
	)
})
