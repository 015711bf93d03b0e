import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { watch as watchFile } from 'node:fs'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Fetched, Fetcher, ImportRequest, SourceFile } from './import-source.ts'

/** A module is text that people write; anything bigger is a mistake or an attack. */
const maxModuleBytes = 16 * 1024 * 1024
/** Several writes of one save are looked at once. */
const settleMs = 100

/** Reads modules from disk, over HTTP and from git repositories. */
export function createFetcher(): Fetcher {
	return { fetch: fetchModule, watch }
}

export async function fetchModule(request: ImportRequest, storagePath: string): Promise<Fetched> {
	switch (request.kind) {
		case 'import.string':
			return { files: [{ name: 'import.string', text: request.content }], modulePath: '' }
		case 'import.file':
			return fetchFile(request.filename)
		case 'import.http':
			return fetchHttp(request)
		case 'import.git':
			return fetchGit(request, storagePath)
	}
}

/** A file, or the `.alloy` files of a folder. */
async function fetchFile(filename: string): Promise<Fetched> {
	const facts = await stat(filename).catch((reason: unknown) => {
		throw new Error(`failed to read file: stat ${filename}: ${systemText(reason)}`)
	})
	if (!facts.isDirectory())
		return { files: [await readSource(filename)], modulePath: dirname(resolve(filename)) }
	const names = (await readdir(filename)).filter((name) => name.endsWith('.alloy')).sort()
	return {
		files: await Promise.all(names.map((name) => readSource(join(filename, name)))),
		modulePath: resolve(filename),
	}
}

async function readSource(path: string): Promise<SourceFile> {
	const facts = await stat(path)
	if (facts.size > maxModuleBytes)
		throw new Error(`failed to read file: ${path} is larger than ${maxModuleBytes} bytes`)
	return { name: path, text: await readFile(path, 'utf8') }
}

/** Go's words for the usual failures. */
export function systemText(reason: unknown): string {
	const code = reason instanceof Error && 'code' in reason ? reason.code : undefined
	switch (code) {
		case 'ENOENT':
			return 'no such file or directory'
		case 'EACCES':
			return 'permission denied'
		case 'EISDIR':
			return 'is a directory'
		case 'ENOTDIR':
			return 'not a directory'
		default:
			return reason instanceof Error ? reason.message : String(reason)
	}
}

async function fetchHttp(request: Extract<ImportRequest, { kind: 'import.http' }>): Promise<Fetched> {
	const response = await fetch(request.url, {
		method: request.method,
		headers: request.headers,
		signal: AbortSignal.timeout(request.timeoutMs),
		...(request.body === '' ? {} : { body: request.body }),
	})
	if (response.status !== 200) throw new Error(`unexpected status code ${response.status}`)
	let size = 0
	const parts: Uint8Array[] = []
	for await (const part of response.body ?? []) {
		const bytes = part as Uint8Array
		size += bytes.length
		if (size > maxModuleBytes)
			throw new Error(`the module at ${request.url} is larger than ${maxModuleBytes} bytes`)
		parts.push(bytes)
	}
	return {
		files: [{ name: request.url, text: Buffer.concat(parts).toString('utf8') }],
		modulePath: request.url.slice(0, request.url.lastIndexOf('/')),
	}
}

const run = promisify(execFile)

/** A clone per repository and revision in the storage folder, brought up to date at every look. */
async function fetchGit(
	request: Extract<ImportRequest, { kind: 'import.git' }>,
	storagePath: string,
): Promise<Fetched> {
	if (request.repository.startsWith('-') || request.revision.startsWith('-'))
		throw new Error('repository and revision must not start with "-"')
	const key = createHash('sha256')
		.update(`${request.repository}\0${request.revision}`)
		.digest('hex')
		.slice(0, 16)
	const folder = resolve(storagePath, 'import.git', key)
	await mkdir(folder, { recursive: true })
	const git = async (...args: string[]): Promise<void> => {
		await run('git', ['-C', folder, ...args], {
			timeout: 60_000,
			env: { ...process.env, ...request.environment, GIT_TERMINAL_PROMPT: '0' },
		})
	}
	await git('init', '--quiet')
	await git('fetch', '--quiet', '--depth=1', '--force', request.repository, request.revision)
	await git('checkout', '--quiet', '--force', '--detach', 'FETCH_HEAD')
	const path = resolve(folder, request.path)
	if (path !== folder && !path.startsWith(`${folder}/`))
		throw new Error('path must lie within the repository')
	return fetchFile(path)
}

function watch(request: ImportRequest, changed: () => void): { close(): void } {
	if (request.kind === 'import.string') return { close() {} }
	if (request.kind === 'import.file' && request.detector !== 'poll') {
		try {
			return watchPath(request.filename, changed)
		} catch {
			// What cannot be watched (a file system without notifications) is polled.
		}
	}
	const timer = setInterval(changed, Math.max(request.pollMs, 100))
	timer.unref()
	return { close: () => clearInterval(timer) }
}

/** The folder is watched, not the file: editors replace files. */
function watchPath(path: string, changed: () => void): { close(): void } {
	let timer: NodeJS.Timeout | undefined
	const later = (): void => {
		clearTimeout(timer)
		timer = setTimeout(changed, settleMs)
		timer.unref()
	}
	const watchers = [watchFile(dirname(resolve(path)), { persistent: false }, later)]
	try {
		watchers.push(watchFile(resolve(path), { persistent: false }, later))
	} catch {
		// It is watched through its folder.
	}
	for (const one of watchers) one.on('error', later)
	return {
		close() {
			clearTimeout(timer)
			for (const one of watchers) one.close()
		},
	}
}
