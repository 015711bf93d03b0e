import { watch as watchFile } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Fetched, maxModuleBytes, type SourceFile } from './import-source.ts'

/** Several writes of one save are looked at once. */
const settleMs = 100

/** A file, or the `.alloy` files of a folder. */
export async function fetchFile(filename: string): Promise<Fetched> {
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

/** The folder is watched, not only the file: editors replace files. Throws where there are no notifications. */
export function watchPath(path: string, changed: () => void): { close(): void } {
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
