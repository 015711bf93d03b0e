import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SelectorSource } from '../../../src/process/selection.ts'
import { buildLoadMaker, type Server } from '../../e2e/support/programs.ts'
import { childrenOf } from './children.ts'

/** The load maker under a path of its own: other runs on this machine have theirs, and we must not trace them. */
export async function ownLoadMaker(): Promise<string> {
	const folder = mkdtempSync(join(tmpdir(), 'vor-bench-load-'))
	process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
	const path = join(folder, 'bench-load')
	copyFileSync(await buildLoadMaker(), path)
	return path
}

/** Selects exactly this server and its workers. */
export const onlyServer = (server: Server): SelectorSource => ({
	targetPids: [server.pid, ...childrenOf(server.pid)],
})

/** `discovery` of a pipeline for the server and, where given, the load maker. */
export function discoveryOf(server: Server, loadMaker?: string): string {
	const pids = [server.pid, ...childrenOf(server.pid)].join(', ')
	const blocks = [
		`target_pids = [${pids}]`,
		...(loadMaker === undefined ? [] : [`exe_path = "${loadMaker}"`]),
	]
	return `discovery {\n${blocks.map((line) => `\t\tinstrument {\n\t\t\t${line}\n\t\t}\n`).join('')}\t}`
}
