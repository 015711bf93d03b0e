import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { spawn } from '../../helpers/spawn.ts'

export interface Step {
	readonly do:
		| 'pair'
		| 'send'
		| 'receive'
		| 'end'
		| 'nothing'
		| 'reset'
		| 'failing'
		| 'shutdown'
		| 'close'
		| 'thread'
		| 'sleep'
	readonly [argument: string]: unknown
}

export interface Answer {
	readonly client?: number
	readonly server?: number
	readonly errno?: number
	readonly bytes?: number
	readonly answers?: readonly Answer[]
}

/** A process that moves bytes over sockets exactly as told (sockets.py). One program at a time. */
export interface Sockets {
	readonly pid: number
	run(steps: readonly Step[]): Promise<readonly Answer[]>
	/** Ends the process; 'SIGKILL' leaves it no time to close anything. */
	stop(signal?: NodeJS.Signals): Promise<void>
}

export function startSockets(): Sockets {
	const script = fileURLToPath(new URL('sockets.py', import.meta.url))
	const child = spawn('python3', ['-u', script], { stdio: ['pipe', 'pipe', 'inherit'] })
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
	return {
		pid: child.pid as number,
		async run(steps) {
			child.stdin.write(`${JSON.stringify(steps)}\n`)
			const line = await lines.next()
			if (line.done === true) throw new Error('the socket process has ended')
			const answer = JSON.parse(line.value) as { answers?: Answer[]; error?: string }
			if (answer.answers === undefined) throw new Error(answer.error)
			return answer.answers
		},
		stop: (signal = 'SIGTERM') => stop(child, signal),
	}
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return
	const ended = new Promise((resolve) => child.once('exit', resolve))
	child.kill(signal)
	await ended
}

const base64 = (text: string | Uint8Array): string => Buffer.from(text as string).toString('base64')

export const pair = (family = 'ipv4', name = '', options: object = {}): Step => ({
	do: 'pair',
	family,
	client: `c${name}`,
	server: `s${name}`,
	...options,
})
export const send = (on: string, text: string | Uint8Array, options: object = {}): Step => ({
	do: 'send',
	on,
	bytes: base64(text),
	...options,
})
export const receive = (on: string, text: string | Uint8Array, options: object = {}): Step => ({
	do: 'receive',
	on,
	count: Buffer.byteLength(text),
	...options,
})
/** Sends on one end and receives all of it on the other. */
export const move = (from: string, to: string, text: string | Uint8Array, options: object = {}): Step[] => [
	send(from, text, options),
	receive(to, text, options),
]
export const close = (...names: string[]): Step[] => names.map((on) => ({ do: 'close', on }))
