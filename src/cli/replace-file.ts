import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, realpath, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Puts new content in a file's place: either all of it or, on any error, none. Mode and owner stay; a symbolic link stays
 * and its target is replaced. (Other hard links to the file keep the old content.)
 */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
	await access(path, constants.W_OK)
	const target = await realpath(path)
	const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
	const original = await open(target, 'r')
	try {
		const { mode, uid, gid } = await original.stat()
		const file = await open(temporary, 'wx', 0o600)
		try {
			await file.writeFile(content)
			const mine = await file.stat()
			// The owner first: changing it clears the set-id bits that the mode may hold.
			if (mine.uid !== uid || mine.gid !== gid) await file.chown(uid, gid)
			await file.chmod(mode & 0o7777)
			await file.sync()
		} finally {
			await file.close()
		}
		await rename(temporary, target)
	} catch (reason) {
		await unlink(temporary).catch((failed: NodeJS.ErrnoException) => {
			if (failed.code !== 'ENOENT') throw failed
		})
		throw reason
	} finally {
		await original.close()
	}
}
