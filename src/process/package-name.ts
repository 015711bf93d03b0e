import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

export interface PackageInfo {
	readonly name: string
	readonly version: string
}

const NONE: PackageInfo = { name: '', version: '' }
/** A package.json larger than this is not one. */
const MAX_BYTES = 1 << 20

/**
 * The package a Node script belongs to: the package.json nearest above it that has a name. A script inside node_modules is
 * a tool (next, nest, ts-node): then the package of the working folder is the service. Paths are the target's own; `root`
 * is its /proc/<pid>/root.
 */
export function findPackage(root: string, cwd: string, script: string, realScript: string): PackageInfo {
	if (script !== '') {
		const found = nearest(root, dirname(realScript === '' ? resolve(cwd, script) : realScript))
		if (found !== undefined && !found.folder.includes('/node_modules/')) return found.info
		if (found === undefined) return NONE
	}
	const own = nearest(root, cwd)
	return own === undefined || own.folder.includes('/node_modules/') ? NONE : own.info
}

function nearest(root: string, from: string): { folder: string; info: PackageInfo } | undefined {
	for (let folder = from; ; folder = dirname(folder)) {
		const info = readPackage(`${root}${folder === '/' ? '' : folder}/package.json`)
		if (info !== undefined) return { folder, info }
		if (folder === '/' || folder === '.' || folder === '') return undefined
	}
}

function readPackage(path: string): PackageInfo | undefined {
	try {
		const text = readFileSync(path, 'utf8')
		if (text.length > MAX_BYTES) return undefined
		const value: unknown = JSON.parse(text)
		if (typeof value !== 'object' || value === null || !('name' in value)) return undefined
		if (typeof value.name !== 'string' || value.name === '') return undefined
		const version = 'version' in value && typeof value.version === 'string' ? value.version : ''
		return { name: value.name, version }
	} catch {
		// Not there, not readable, not JSON: the next folder up may have one.
		return undefined
	}
}
