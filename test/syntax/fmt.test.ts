import {
	chmodSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { command, runFmt } from '../../src/cli/fmt.ts'
import { captureIo } from './capture-io.ts'

const untidy = 'a=1\nlonger=2 // c\n'
const tidy = 'a      = 1\nlonger = 2 // c\n'
const noStdin = async (): Promise<Uint8Array> => {
	throw new Error('standard input was read')
}

let folder: string
let file: string
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'vor-fmt-'))
	file = join(folder, 'f.alloy')
	writeFileSync(file, untidy)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function fmt(...argv: string[]): Promise<{ rc: number; out: string; err: string }> {
	const io = captureIo()
	const rc = await command.run(argv, io)
	return { rc, out: io.out(), err: io.err() }
}

it('prints the formatted file and leaves the file alone', async () => {
	expect(await fmt(file)).toEqual({ rc: 0, out: tidy, err: '' })
	expect(readFileSync(file, 'utf8')).toBe(untidy)
})

it('reads standard input without an argument', async () => {
	const io = captureIo()
	expect(await runFmt([], io, async () => Buffer.from(untidy))).toBe(0)
	expect(io.out()).toBe(tidy)
})

describe('-w', () => {
	it('writes in place, keeps the mode and leaves nothing else behind', async () => {
		chmodSync(file, 0o640)
		expect(await fmt('-w', file)).toEqual({ rc: 0, out: '', err: '' })
		expect(readFileSync(file, 'utf8')).toBe(tidy)
		expect(statSync(file).mode & 0o7777).toBe(0o640)
		expect(readdirSync(folder)).toEqual(['f.alloy'])
	})

	it('does not touch a file that is formatted already', async () => {
		writeFileSync(file, tidy)
		const before = statSync(file)
		expect((await fmt('--write', file)).rc).toBe(0)
		expect(statSync(file).ino).toBe(before.ino)
	})

	it('replaces the file behind a symbolic link, not the link', async () => {
		const link = join(folder, 'link.alloy')
		symlinkSync('f.alloy', link)
		expect((await fmt('-w', link)).rc).toBe(0)
		expect(readFileSync(file, 'utf8')).toBe(tidy)
		expect(readdirSync(folder).sort()).toEqual(['f.alloy', 'link.alloy'])
	})

	it('leaves a file with errors as it is', async () => {
		writeFileSync(file, 'a = = 1\n')
		expect(await fmt('-w', file)).toEqual({
			rc: 1,
			out: '',
			err: `${file}:1:5: expected expression, got =\nError: encountered errors during formatting\n`,
		})
		expect(readFileSync(file, 'utf8')).toBe('a = = 1\n')
	})

	it.each([
		['a raw string with tabs', 'a = `x\ty`\n'],
		['a raw string with blanks at a line end', 'a = `x  \ny`\n'],
		['a quoted key with an escape', 'a = {"x\\"y" = 1}\n'],
		['an empty call over lines', 'a = f(\n)\n'],
	])("refuses to destroy what Alloy's format destroys: %s", async (_name, text) => {
		writeFileSync(file, text)
		const { rc, err } = await fmt('-w', file)
		expect(rc).toBe(1)
		expect(err).toContain('would change the meaning')
		expect(readFileSync(file, 'utf8')).toBe(text)
	})
})

describe('-t', () => {
	it('only says whether the file is formatted', async () => {
		expect(await fmt('-t', file)).toEqual({
			rc: 1,
			out: '',
			err: `Error: file ${file} is not formatted correctly\n`,
		})
		writeFileSync(file, tidy)
		expect(await fmt('--test', file)).toEqual({ rc: 0, out: '', err: '' })
	})
})

describe('misuse', () => {
	it.each([
		[['-w', '-'], 'cannot use -w with standard input'],
		[['-wt', 'x'], 'cannot use -w/--write and -t/--test at the same time'],
		[['x', 'y'], 'accepts between 0 and 1 arg(s), received 2'],
		[['--nope'], 'unknown flag: --nope'],
		[['-x'], "unknown shorthand flag: 'x' in -x"],
		[
			['--write=maybe', 'x'],
			'invalid argument "maybe" for "-w, --write" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
		],
		[['/nowhere/x.alloy'], 'stat /nowhere/x.alloy: no such file or directory'],
		[['/'], 'cannot format a directory'],
	])('%j is one line on stderr and exit code 1', async (argv, message) => {
		const io = captureIo()
		expect(await runFmt(argv, io, noStdin)).toBe(1)
		expect(io.out()).toBe('')
		expect(io.err()).toBe(`Error: ${message}\n`)
	})
})

describe('what Vör adds', () => {
	it('is an excerpt with --explain and on a terminal', async () => {
		const io = captureIo()
		expect(await runFmt(['--explain'], io, async () => Buffer.from('a = = 1\n'))).toBe(1)
		expect(io.err()).toContain('1 | a = = 1\n  |     ^\n')
		const tty = captureIo(true)
		await runFmt([], tty, async () => Buffer.from('a = = 1\n'))
		expect(tty.err()).toContain('\x1b[31;1mError: ')
	})

	it('is JSON on standard output with --json', async () => {
		const io = captureIo()
		expect(await runFmt(['--json'], io, async () => Buffer.from('a = = 1\n'))).toBe(1)
		expect(JSON.parse(io.out())).toMatchObject([
			{
				severity: 'error',
				file: '<stdin>',
				start: { line: 1, column: 5 },
				message: 'expected expression, got =',
			},
		])
	})
})
