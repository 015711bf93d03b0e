import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../capture/paths.ts'
import { VorError } from '../util/errors.ts'
import type { Case } from './settings.ts'

export type LoadMaker = 'c' | 'node'

/** What one round did, as the load maker counted it. */
export interface Round {
	readonly sent: number
	readonly completed: number
	readonly errors: number
	/** CPU time of the client process, and of all servers. */
	readonly clientNs: number
	readonly serverNs: number
	readonly wallNs: number
}

/** A running client with its servers and open connections. They end with this process in any case. */
export interface Load {
	readonly client: number
	readonly servers: readonly number[]
	/** Fewer than asked for where the limit of open files is lower. */
	readonly connections: number
	/** Resolves when the answers under way have come. `rate` 0: as fast as they come. */
	round(rate: number, milliseconds: number): Promise<Round>
	/** One request on each connection. */
	touch(): Promise<Round>
	stop(): Promise<void>
}

const inDist = (name: string): string => join(packageRoot(), 'dist', 'bench', name)

/** The one compiled by the build, where it was and runs here. */
export function findLoadMaker(wanted: 'auto' | LoadMaker): LoadMaker {
	if (wanted === 'node') return 'node'
	try {
		accessSync(inDist('load'), constants.X_OK)
		return 'c'
	} catch {
		if (wanted === 'auto') return 'node'
		throw new VorError('E_FILE', 'the load maker in C was not built', {
			fix: 'npm run build, with a C compiler; or --load-maker=node',
		})
	}
}

interface Hello {
	readonly client: number
	readonly connections: number
	readonly servers: readonly number[]
}

export async function startLoad(
	maker: LoadMaker,
	{ processes, connections, bytes }: Case,
	signal: AbortSignal,
): Promise<Load> {
	const args = [processes, connections, bytes].map(String)
	// In a group of its own: Ctrl-C is for us, and we end it.
	const child =
		maker === 'c'
			? spawn(inDist('load'), args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
			: spawn(process.execPath, [inDist('node-load.js'), ...args], {
					stdio: ['pipe', 'pipe', 'inherit'],
					detached: true,
				})
	const ended = new Promise<void>((resolve) => {
		child.once('close', () => resolve())
		child.once('error', () => resolve())
	})
	// Writing to one that has ended is told by the missing answer.
	child.stdin.on('error', () => {})
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
	const end = (): void => void child.kill('SIGKILL')
	signal.addEventListener('abort', end)
	const read = async (): Promise<unknown> => {
		const line = await lines.next()
		signal.throwIfAborted()
		if (line.done === true) throw new VorError('E_INTERNAL', `the load maker (${maker}) ended by itself`)
		const message = JSON.parse(line.value) as { readonly error?: string; readonly errno?: number }
		if (message.error !== undefined) throw loadFailure(message.error, message.errno ?? 0)
		return message
	}
	const stop = async (): Promise<void> => {
		signal.removeEventListener('abort', end)
		child.stdin.end()
		const timer = setTimeout(end, 5000)
		await ended
		clearTimeout(timer)
	}
	try {
		const hello = (await read()) as Hello
		const play = async (rate: number, milliseconds: number, count: number): Promise<Round> => {
			child.stdin.write(`${Math.round(rate)} ${Math.round(milliseconds)} ${count}\n`)
			const round = (await read()) as Round
			if (round.errors > 0 || round.completed === 0)
				throw new VorError(
					'E_INTERNAL',
					`${round.errors} of ${round.sent} requests of the load failed, ${round.completed} were answered`,
					{ fix: 'nothing but vor bench may touch its connections: is there a firewall on loopback?' },
				)
			return round
		}
		return {
			...hello,
			round: (rate, milliseconds) => play(rate, milliseconds, 0),
			touch: () => play(0, 0, hello.connections),
			stop,
		}
	} catch (reason) {
		end()
		await stop()
		throw reason
	}
}

const EAGAIN = 11
const ENOMEM = 12
const EMFILE = 24
const EADDRINUSE = 98
const EADDRNOTAVAIL = 99

function loadFailure(step: string, errno: number): VorError {
	if (errno === EADDRINUSE || errno === EADDRNOTAVAIL || step === 'listen')
		return new VorError(
			'E_ADDRESS_IN_USE',
			`no free port on loopback for the load (${step}, errno ${errno})`,
			{
				fix: 'fewer --connections and --processes, or more ports: sysctl net.ipv4.ip_local_port_range="15000 65000"',
			},
		)
	if (errno === EMFILE)
		return new VorError('E_PRIVILEGE', 'too few open files are allowed for the load', {
			fix: 'ulimit -n 20000, or fewer --connections',
		})
	if (errno === EAGAIN || errno === ENOMEM)
		return new VorError(
			'E_PRIVILEGE',
			`no more processes can be started for the load (${step}, errno ${errno})`,
			{
				fix: 'fewer --processes, or a higher limit: ulimit -u, pids.max of the cgroup',
			},
		)
	return new VorError('E_INTERNAL', `the load failed at ${step}, errno ${errno}`)
}
