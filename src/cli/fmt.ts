import { readFile, stat } from 'node:fs/promises'
import type * as ast from '../syntax/ast.ts'
import { formatDiagnostic } from '../syntax/diag.ts'
import { sameBody } from '../syntax/equal.ts'
import { parseFile } from '../syntax/parser.ts'
import { printFile } from '../syntax/printer.ts'
import { diagnosticsToJson, renderDiagnostics } from '../syntax/render.ts'
import { Source } from '../syntax/source.ts'
import type { CliCommand, CliIo } from './command.ts'
import { replaceFile } from './replace-file.ts'

interface Flags {
	write: boolean
	test: boolean
	/** Ours: excerpts and help although stderr is no terminal. */
	explain: boolean
	/** Ours: diagnostics as JSON on stdout. */
	json: boolean
	file: string
}

/** What ends the command with exit code 1 and `Error: …`, in Alloy's words. */
class FmtError extends Error {}

export const command: CliCommand = {
	name: 'fmt',
	summary: 'Format a pipeline file as Alloy does',
	usage: `vor fmt [-w|--write] [-t|--test] [--explain] [--json] [FILE|-]

Prints FILE (or standard input, with - or without FILE) in the standard format.

  -w, --write   write the result to FILE instead of standard output
  -t, --test    print nothing; exit 1 when the file is not in the standard format
      --explain show the place and advice for every error (always on a terminal)
      --json    print errors as JSON on standard output
`,
	run: (argv, io) => runFmt(argv, io, readStdin),
}

/** The command, with standard input as a parameter. */
export async function runFmt(
	argv: readonly string[],
	io: CliIo,
	stdin: () => Promise<Uint8Array>,
): Promise<number> {
	try {
		return await format(parseFlags(argv), io, stdin)
	} catch (reason) {
		await print(io.stderr, `Error: ${messageOf(reason)}\n`)
		return 1
	}
}

async function format(flags: Flags, io: CliIo, stdin: () => Promise<Uint8Array>): Promise<number> {
	if (flags.write && flags.test) {
		throw new FmtError('cannot use -w/--write and -t/--test at the same time')
	}
	const fromStdin = flags.file === '-'
	if (fromStdin && flags.write) throw new FmtError('cannot use -w with standard input')
	if (!fromStdin && (await stat(flags.file)).isDirectory()) throw new FmtError('cannot format a directory')

	const name = fromStdin ? '<stdin>' : flags.file
	const bytes = fromStdin ? await stdin() : await readFile(flags.file)
	const source = new Source(name, bytes)
	const { file, diagnostics } = parseFile(name, source)
	if (diagnostics.length > 0) {
		if (flags.json) await print(io.stdout, `${JSON.stringify(diagnosticsToJson(diagnostics))}\n`)
		else if (flags.explain || io.isTty) {
			const options = { color: io.isTty, explain: true }
			await print(io.stderr, `${renderDiagnostics(diagnostics, new Map([[name, source]]), options)}\n`)
		} else await print(io.stderr, diagnostics.map((one) => `${formatDiagnostic(one)}\n`).join(''))
		throw new FmtError('encountered errors during formatting')
	}

	const text = `${printFile(file)}\n`
	if (!flags.test && !flags.write) {
		await print(io.stdout, text)
		return 0
	}
	if (Buffer.from(text).equals(bytes)) return 0
	if (flags.test) throw new FmtError(`file ${name} is not formatted correctly`)
	refuseDamage(name, file, text)
	await replaceFile(flags.file, text)
	return 0
}

/**
 * Alloy's format, which we print byte for byte, loses meaning in three rare cases: it escapes a quoted key that holds a
 * backslash once more, eats tabs and trailing blanks inside a raw string, and puts a comma into an empty call that spans
 * lines. On standard output that is Alloy's answer; in place it would destroy the author's text, so the file stays.
 */
function refuseDamage(name: string, before: ast.File, text: string): void {
	const after = parseFile(name, text)
	if (after.diagnostics.length === 0 && sameBody(before.body, after.file.body)) return
	throw new FmtError(`the standard format would change the meaning of ${name}; the file was left as it is`)
}

const switches: Readonly<Record<string, 'write' | 'test' | 'explain' | 'json'>> = {
	write: 'write',
	test: 'test',
	explain: 'explain',
	json: 'json',
	w: 'write',
	t: 'test',
}

/** Flags and messages as the command-line library of Alloy has them. */
function parseFlags(argv: readonly string[]): Flags {
	const flags: Flags = { write: false, test: false, explain: false, json: false, file: '-' }
	const files: string[] = []
	for (let i = 0; i < argv.length; i++) {
		const word = argv[i]!
		if (word === '--') {
			files.push(...argv.slice(i + 1))
			break
		}
		if (word.startsWith('--')) longFlag(word.slice(2), flags)
		else if (word.startsWith('-') && word !== '-') shortFlags(word.slice(1), flags)
		else files.push(word)
	}
	if (files.length > 1) throw new FmtError(`accepts between 0 and 1 arg(s), received ${files.length}`)
	if (files[0] !== undefined) flags.file = files[0]
	return flags
}

function longFlag(word: string, flags: Flags): void {
	const equals = word.indexOf('=')
	const name = equals < 0 ? word : word.slice(0, equals)
	const field = name.length > 1 ? switches[name] : undefined
	if (field === undefined) throw new FmtError(`unknown flag: --${name}`)
	flags[field] = equals < 0 || parseBool(word.slice(equals + 1), flagName(name))
}

function shortFlags(letters: string, flags: Flags): void {
	for (let i = 0; i < letters.length; i++) {
		const letter = letters[i]!
		const field = switches[letter]
		if (field === undefined) throw new FmtError(`unknown shorthand flag: '${letter}' in -${letters}`)
		if (letters[i + 1] === '=') {
			flags[field] = parseBool(letters.slice(i + 2), flagName(field))
			return
		}
		flags[field] = true
	}
}

function flagName(long: string): string {
	return long === 'write' || long === 'test' ? `-${long[0]}, --${long}` : `--${long}`
}

function parseBool(text: string, shown: string): boolean {
	if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
	if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false
	const quoted = JSON.stringify(text)
	throw new FmtError(
		`invalid argument ${quoted} for "${shown}" flag: strconv.ParseBool: parsing ${quoted}: invalid syntax`,
	)
}

const systemMessages: Readonly<Record<string, string>> = {
	ENOENT: 'no such file or directory',
	EACCES: 'permission denied',
	EPERM: 'operation not permitted',
	ENOTDIR: 'not a directory',
	EISDIR: 'is a directory',
	ELOOP: 'too many levels of symbolic links',
	ENAMETOOLONG: 'file name too long',
	ENOSPC: 'no space left on device',
	EROFS: 'read-only file system',
}

function messageOf(reason: unknown): string {
	if (!(reason instanceof Error)) return String(reason)
	const { code, syscall, path } = reason as NodeJS.ErrnoException
	const known = code === undefined ? undefined : systemMessages[code]
	if (known === undefined || path === undefined) return reason.message
	return `${syscall === 'access' ? 'open' : (syscall ?? 'open')} ${path}: ${known}`
}

async function readStdin(): Promise<Uint8Array> {
	const chunks: Buffer[] = []
	for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
	return Buffer.concat(chunks)
}

/** Waits until the text is out, so that a process that ends afterwards cuts nothing off. */
function print(stream: NodeJS.WritableStream, text: string): Promise<void> {
	return new Promise((resolve, reject) => {
		stream.write(text, (error) => (error ? reject(error) : resolve()))
	})
}
