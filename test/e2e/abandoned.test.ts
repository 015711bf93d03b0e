import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, expect, it } from 'vitest'
import { eventually } from './support/vor.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'vor-abandoned-'))
const ended: (() => void)[] = []
afterEach(() => {
	for (const end of ended.splice(0)) end()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Pid and start time: a pid alone may be another process's by the time it is looked at again. */
function identity(pid: number): string | undefined {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
		// A zombie holds nothing; its reaper is not ours.
		return fields[0] === 'Z' ? undefined : `${pid} ${fields[19]} ${stat.slice(0, stat.lastIndexOf(')') + 1)}`
	} catch {
		return undefined
	}
}

/** A test run by our own scripts, in a process group of its own as a shell would start it, once its programs are up. */
async function startRun(name: string): Promise<{ run: ChildProcess; left: () => string[] }> {
	const file = join(folder, name)
	const script = `
		import { runVitest } from ${JSON.stringify(join(root, 'scripts/lib/run-tests.mjs'))}
		await runVitest(['--config=test/e2e/abandoned/vitest.config.ts'])`
	const run = spawn(process.execPath, ['--input-type=module', '-e', script], {
		cwd: root,
		detached: true,
		stdio: 'ignore',
		env: { ...process.env, ABANDONED_PIDS: file },
	})
	ended.push(() => {
		try {
			process.kill(-(run.pid as number), 'SIGKILL')
		} catch {
			// As it should be: nobody is left in the group.
		}
	})
	await eventually(
		() => (existsSync(file) && readFileSync(file, 'utf8') !== '' ? true : undefined),
		() => 'the programs did not start',
		120_000,
	)
	const pids: number[] = JSON.parse(readFileSync(file, 'utf8'))
	const before = [run.pid as number, ...pids].map((pid) => [pid, identity(pid)] as const)
	for (const [pid, who] of before) expect(who, `pid ${pid} runs`).toBeDefined()
	return {
		run,
		left: () => before.filter(([pid, who]) => identity(pid) === who).map(([, who]) => String(who)),
	}
}

async function expectNothing(left: () => string[]): Promise<void> {
	await eventually(
		() => (left().length === 0 ? true : undefined),
		() => `still there: ${left().join(', ')}`,
		30_000,
	)
}

// The script alone is killed: vitest, its worker and what the worker started end with it, one after the other.
it('a test run that is killed leaves no program behind', async () => {
	const { run, left } = await startRun('killed')
	run.kill('SIGKILL')
	await expectNothing(left)
}, 180_000)

it('a test run that is interrupted from the keyboard leaves no program behind', async () => {
	const { run, left } = await startRun('interrupted')
	process.kill(-(run.pid as number), 'SIGINT')
	await expectNothing(left)
}, 180_000)
