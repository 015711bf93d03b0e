import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { GraphSource } from '../graph/graph.ts'
import { VorError } from '../util/errors.ts'

/** A file, or all `*.alloy` of a folder in the order of their names, as one configuration. Throws E_FILE. */
export async function readConfiguration(path: string): Promise<GraphSource> {
	try {
		if (!(await stat(path)).isDirectory())
			return { path, files: [{ name: path, text: await readFile(path, 'utf8') }] }
		const names = (await readdir(path)).filter((name) => name.endsWith('.alloy')).sort()
		if (names.length === 0)
			throw new VorError('E_FILE', `no *.alloy file in the folder ${path}`, {
				fix: 'name a file, or put one there',
			})
		const files = names.map(async (name) => ({
			name: join(path, name),
			text: await readFile(join(path, name), 'utf8'),
		}))
		return { path, files: await Promise.all(files) }
	} catch (reason) {
		if (reason instanceof VorError) throw reason
		throw new VorError('E_FILE', fileMessage(path, reason as NodeJS.ErrnoException), {
			fix: 'name a pipeline file that can be read, for example pipelines/local.alloy',
			cause: reason,
		})
	}
}

function fileMessage(path: string, error: NodeJS.ErrnoException): string {
	if (error.code === 'ENOENT') return `${path}: no such file or directory`
	if (error.code === 'EACCES') return `${path}: permission denied`
	return `${path}: ${error.message}`
}
