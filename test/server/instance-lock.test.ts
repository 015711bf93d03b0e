import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { lockInstance } from '../../src/server/instance-lock.ts'
import { spawn } from '../helpers/spawn.ts'

const folders: string[] = []
afterEach(() => {
	for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(): string {
	const made = mkdtempSync(join(tmpdir(), 'vor-lock-'))
	folders.push(made)
	return join(made, 'data')
}

const lockModule = new URL('../../src/server/instance-lock.ts', import.meta.url).href

/** Another process that locks `path`, says so and stays; or ends with the error on its output. */
function holder(path: string) {
	const code = `
		import { lockInstance } from ${JSON.stringify(lockModule)}
		try { await lockInstance(process.argv[1]); console.log('held') } catch (error) { console.log(error.code, error.message); process.exit(3) }
		setInterval(() => {}, 1000)
	`
	const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code, path], {
		stdio: ['ignore', 'pipe', 'inherit'],
	})
	const said = new Promise<string>((resolve) => {
		let text = ''
		child.stdout.on('data', (chunk: Buffer) => {
			text += chunk.toString()
			if (text.includes('\n')) resolve(text.trim())
		})
		child.on('close', () => resolve(text.trim()))
	})
	const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
	return { child, said, ended }
}

test('a second Vör on a storage path is refused with the pid of the first, and may start when that was killed', async () => {
	const path = folder()
	const first = holder(path)
	expect(await first.said).toBe('held')
	await expect(lockInstance(path)).rejects.toMatchObject({
		code: 'E_SECOND_INSTANCE',
		message: `another Vör (pid ${first.child.pid}) already uses the storage path ${path}`,
		fix: expect.stringContaining('--storage.path=') as string,
	})
	first.child.kill('SIGKILL')
	await first.ended
	const lock = await lockInstance(path)
	expect(readFileSync(join(path, 'vor.lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} \\d+\\n$`))
	await lock.release()
	await lock.release()
	expect(existsSync(join(path, 'vor.lock'))).toBe(false)
})

test('of several that start at once exactly one gets the storage path', async () => {
	const path = folder()
	const all = Array.from({ length: 4 }, () => holder(path))
	const said = await Promise.all(all.map((one) => one.said))
	for (const one of all) one.child.kill('SIGKILL')
	await Promise.all(all.map((one) => one.ended))
	expect(said.filter((text) => text === 'held')).toHaveLength(1)
	expect(said.filter((text) => text.startsWith('E_SECOND_INSTANCE'))).toHaveLength(3)
})

test('a lock file whose pid now belongs to another process is stale', async () => {
	const path = folder()
	await (await lockInstance(path)).release()
	writeFileSync(join(path, 'vor.lock'), '1 999999999999\n')
	await (await lockInstance(path)).release()
})

test('a storage path that cannot be made is told with a fix', async () => {
	const path = folder()
	await (await lockInstance(path)).release()
	writeFileSync(join(path, 'file'), '')
	await expect(lockInstance(join(path, 'file', 'deeper'))).rejects.toMatchObject({
		code: 'E_FILE',
		fix: expect.stringContaining('--storage.path=') as string,
	})
})
