import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { VorError } from '../util/errors.ts'

export interface InstanceLock {
	/** Safe twice; the kernel also does it when the process ends in whatever way. */
	release(): Promise<void>
}

/**
 * Makes this process the only Vör on a storage path, which it creates where missing. Two guards: an abstract unix socket
 * named after the folder's device and inode (taken and given back by the kernel, so no race and nothing stale), and a
 * file with pid and start time, which says who it is and also works between two network namespaces.
 */
export async function lockInstance(storagePath: string): Promise<InstanceLock> {
	const file = join(storagePath, 'vor.lock')
	const identity = `${process.pid} ${await startTime(process.pid)}\n`
	try {
		await mkdir(storagePath, { recursive: true, mode: 0o750 })
		const { dev, ino } = await stat(storagePath)
		const guard = await holdName(`vor-storage-${dev}-${ino}`)
		const holder = await livingHolder(file)
		if (guard === undefined || holder !== undefined) {
			await guard?.()
			throw secondInstance(storagePath, holder)
		}
		await writeFile(file, identity, { mode: 0o640 })
		let released = false
		return {
			async release() {
				if (released) return
				released = true
				await rm(file, { force: true })
				await guard()
			},
		}
	} catch (reason) {
		if (reason instanceof VorError) throw reason
		throw new VorError('E_FILE', `cannot use the storage path ${storagePath}: ${(reason as Error).message}`, {
			fix: 'name a folder that may be written: --storage.path=FOLDER',
			cause: reason,
		})
	}
}

/** Binds an abstract socket; undefined when somebody holds it. */
function holdName(name: string): Promise<(() => Promise<void>) | undefined> {
	return new Promise((resolve, reject) => {
		const server = createServer((socket) => socket.destroy())
		server.once('error', (error: NodeJS.ErrnoException) =>
			error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
		)
		server.listen(`\0${name}`, () => {
			server.unref()
			resolve(() => new Promise((done) => server.close(() => done())))
		})
	})
}

/** The pid in the file, where that process still runs and is not ourselves. */
async function livingHolder(file: string): Promise<number | undefined> {
	const text = await readFile(file, 'utf8').catch(() => '')
	const match = /^(\d+) (\d+)\n$/.exec(text)
	if (match === null) return undefined
	const pid = Number(match[1])
	return pid !== process.pid && (await startTime(pid)) === match[2] ? pid : undefined
}

/** Field 22 of /proc/PID/stat, clock ticks since boot; '0' when there is no such process. */
async function startTime(pid: number): Promise<string> {
	const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
	return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
}

function secondInstance(storagePath: string, pid: number | undefined): VorError {
	const who = pid === undefined ? 'another Vör' : `another Vör (pid ${pid})`
	return new VorError('E_SECOND_INSTANCE', `${who} already uses the storage path ${storagePath}`, {
		fix: 'stop it, or give this one its own: --storage.path=FOLDER --server.http.listen-addr=127.0.0.1:12346',
	})
}
