import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Part of Debian's base (util-linux). */
const setpriv = (process.env.PATH ?? '')
	.split(delimiter)
	.map((folder) => join(folder, 'setpriv'))
	.find((file) => existsSync(file))

/**
 * What to spawn instead of `program args`, so that the kernel sends it `signal` (KILL, TERM) when we end, however we end. It is
 * under the same pid. Its own children are its own affair.
 */
export function bound(signal, program, args) {
	return setpriv === undefined ? [program, args] : [setpriv, ['--pdeathsig', signal, '--', program, ...args]]
}
