// A process of its own that outlives `vor bench` by a moment, however that ends (kill -9 included): when its stdin ends, it
// ends the processes and deletes the folders that it was told of and not told to forget. Lines: "+pid N", "-pid N", "+folder P".
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'

const pids = new Set<number>()
const folders = new Set<string>()
// Ctrl-C and the like are for the benchmark; this one waits for its end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

createInterface({ input: process.stdin })
	.on('line', (line) => {
		const at = line.indexOf(' ')
		const value = line.slice(at + 1)
		if (line.startsWith('+folder')) folders.add(value)
		else if (line.startsWith('+')) pids.add(Number(value))
		else pids.delete(Number(value))
	})
	.on('close', () => {
		for (const pid of pids) {
			try {
				process.kill(pid, 'SIGKILL')
			} catch {
				// It has ended by itself.
			}
		}
		for (const folder of folders) rmSync(folder, { recursive: true, force: true })
	})
