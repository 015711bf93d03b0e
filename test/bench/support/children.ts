import { readFileSync } from 'node:fs'

/** Direct children of a process, oldest first. */
export function childrenOf(pid: number): number[] {
	const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
	return text === '' ? [] : text.split(' ').map(Number)
}

// A benchmark that fails half-way must not leave its servers and load behind for the next one to suffer from.
process.on('exit', () => {
	for (const child of childrenOf(process.pid)) {
		try {
			process.kill(child, 'SIGTERM')
		} catch {
			// It has ended by itself.
		}
	}
})
