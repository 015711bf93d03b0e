import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../capture/paths.ts'
import { VorError } from '../util/errors.ts'

/** What a run leaves behind for nobody: a folder, and child processes that must not outlive it. */
export interface Scratch {
	readonly folder: string
	/** Ends with this process in any case. */
	own(child: ChildProcess): void
	close(): Promise<void>
}

export function openScratch(): Scratch {
	const folder = makeFolder()
	const guard = spawn(process.execPath, [join(packageRoot(), 'dist/bench/guard.js')], {
		stdio: ['pipe', 'ignore', 'ignore'],
		detached: true,
	})
	const gone = new Promise<void>((resolve) => {
		guard.once('close', () => resolve())
		guard.once('error', () => resolve())
	})
	guard.stdin.on('error', () => {})
	guard.stdin.write(`+folder ${folder}\n`)
	return {
		folder,
		own(child) {
			const { pid } = child
			if (pid === undefined) return
			guard.stdin.write(`+pid ${pid}\n`)
			child.once('close', () => guard.stdin.write(`-pid ${pid}\n`))
		},
		async close() {
			guard.stdin.end()
			await gone
			rmSync(folder, { recursive: true, force: true })
		},
	}
}

function makeFolder(): string {
	try {
		return mkdtempSync(join(tmpdir(), 'vor-bench-'))
	} catch (reason) {
		throw new VorError('E_FILE', `no folder can be made in ${tmpdir()}: ${(reason as Error).message}`, {
			fix: 'TMPDIR=/tmp, or another folder that can be written',
		})
	}
}
