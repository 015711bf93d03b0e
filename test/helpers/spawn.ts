import { spawn as spawnUnbound } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Part of Debian's base (util-linux); without it programs are started as they are. */
const setpriv = (process.env['PATH'] ?? '')
	.split(delimiter)
	.map((folder) => join(folder, 'setpriv'))
	.find((file) => existsSync(file))

/**
 * node:child_process's `spawn`, but the kernel sends `signal` to the program when this process ends, however it ends: a test run
 * that was killed leaves nothing behind. The program is executed by setpriv, under the same pid. Its own children are its own
 * affair: a program that has some (nginx) needs a signal at which it ends them.
 */
const bound = (signal: 'KILL' | 'TERM'): typeof spawnUnbound =>
	((command: string, args: readonly string[], options: object) =>
		setpriv === undefined
			? spawnUnbound(command, args, options)
			: spawnUnbound(
					setpriv,
					['--pdeathsig', signal, '--', command, ...args],
					options,
				)) as typeof spawnUnbound

export const spawn = bound('KILL')
export const spawnPolitely = bound('TERM')
