import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './report.mjs'

const folder = join(root, '.cache/build')

/** All files under the paths (files or folders, from the root), sorted; `skip` matches paths to leave out. */
export function filesUnder(paths, skip = /(^|\/)(node_modules|build|\.output)(\/|$)|\.gen\.ts$/) {
	const found = []
	const visit = (path) => {
		if (skip.test(path)) return
		const full = join(root, path)
		if (!existsSync(full)) return
		if (!statSync(full).isDirectory()) found.push(path)
		else for (const name of readdirSync(full)) visit(join(path, name))
	}
	for (const path of paths) visit(path)
	return found.sort()
}

/** A digest of names and contents: a checkout or a touch changes times, not this. */
export function digestOf(files, salt) {
	const hash = createHash('sha256').update(salt)
	for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)))
	return hash.digest('hex')
}

export function isStamped(name, digest) {
	try {
		return readFileSync(join(folder, name), 'utf8') === digest
	} catch {
		return false
	}
}

export function stamp(name, digest) {
	const file = join(folder, name)
	mkdirSync(dirname(file), { recursive: true })
	writeFileSync(file, digest)
}
