import { createInterface } from 'node:readline'
import { spawn } from '../../helpers/spawn.ts'

/** One running micro process; each `round` gives the nanoseconds a call (an exchange for http and unix) took. */
export interface Micro {
	round(): Promise<number>
	stop(): void
}

export function startMicro(binary: string, kind: string, rounds: number, calls: number): Micro {
	const child = spawn(binary, [kind, String(rounds), String(calls)], { stdio: ['pipe', 'pipe', 'inherit'] })
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
	return {
		async round() {
			child.stdin.write('go\n')
			const line = await lines.next()
			if (line.done === true) throw new Error(`micro ${kind} ended before its last round`)
			return Number(line.value)
		},
		stop() {
			child.stdin.end()
			child.kill()
		},
	}
}
