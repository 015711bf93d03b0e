import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** What git tracks and the folder holds, from the root. */
export function trackedFiles(...paths: string[]): string[] {
	const output = execFileSync(
		'git',
		['-c', `safe.directory=${root.replace(/\/$/, '')}`, 'ls-files', '-z', '--', ...paths],
		{
			cwd: root,
			encoding: 'utf8',
			maxBuffer: 64 * 1024 * 1024,
		},
	)
	return output.split('\0').filter((path) => path !== '' && existsSync(root + path))
}

export function textOf(path: string): string {
	return readFileSync(root + path, 'utf8')
}
