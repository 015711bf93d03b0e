import { closeSync, openSync, readSync } from 'node:fs'

const CHUNK = 1 << 18

/** Which of these functions there are, and where; undefined when the kernel's list cannot be read. */
export function kernelFunctions(
	names: readonly string[],
): ReadonlyMap<string, 'kernel' | 'module'> | undefined {
	const wanted = new Set(names)
	const found = new Map<string, 'kernel' | 'module'>()
	let file: number
	try {
		file = openSync('/proc/kallsyms', 'r')
	} catch {
		return undefined
	}
	try {
		// Lines are `address type name [module]`; ten megabytes of them, so never all at once.
		const bytes = Buffer.allocUnsafe(CHUNK)
		let rest = ''
		for (;;) {
			const length = readSync(file, bytes, 0, CHUNK, null)
			if (length === 0) break
			const lines = (rest + bytes.toString('latin1', 0, length)).split('\n')
			rest = lines.pop() ?? ''
			for (const line of lines) {
				const kind = line.charAt(17)
				if (kind !== 't' && kind !== 'T') continue
				const end = line.indexOf('\t', 19)
				const name = end < 0 ? line.slice(19) : line.slice(19, end)
				if (wanted.has(name) && found.get(name) !== 'module') found.set(name, end < 0 ? 'kernel' : 'module')
			}
		}
	} catch {
		return undefined
	} finally {
		closeSync(file)
	}
	return found.size === 0 ? undefined : found
}
