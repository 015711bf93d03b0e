import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../capture/paths.ts'
import type { SurfaceName } from '../capture/surfaces.ts'
import { VorError } from '../util/errors.ts'
import { pipelineText } from './pipeline.ts'
import type { Scratch } from './scratch.ts'

/** A `vor run` of its own that watches these processes and exports to `endpoint`. */
export interface VorProcess {
	metrics(): Promise<string>
	memory(): { readonly rss: number; readonly peak: number }
	/** User and system time of all threads, ns; in steps of 10 ms. */
	cpuNs(): number
	stop(): Promise<void>
}

export interface VorOptions {
	readonly scratch: Scratch
	readonly pids: readonly number[]
	readonly surface: SurfaceName
	readonly endpoint: string
	readonly signal: AbortSignal
}

const START_MS = 60_000

export async function startVorProcess(options: VorOptions): Promise<VorProcess> {
	const { scratch, signal } = options
	const folder = mkdtempSync(join(scratch.folder, 'vor-'))
	const file = join(folder, 'bench.alloy')
	writeFileSync(file, pipeline(options))
	const child = spawn(
		process.execPath,
		[
			join(packageRoot(), 'dist/main.js'),
			'run',
			file,
			'--server.http.listen-addr=127.0.0.1:0',
			`--storage.path=${join(folder, 'data')}`,
		],
		// In a group of its own: Ctrl-C is for us, and we end it.
		{ stdio: ['ignore', 'ignore', 'pipe'], detached: true },
	)
	scratch.own(child)
	const ended = new Promise<void>((resolve) => {
		child.once('close', () => resolve())
		child.once('error', () => resolve())
	})
	const stop = async (): Promise<void> => {
		child.kill('SIGTERM')
		const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
		await ended
		clearTimeout(timer)
	}
	try {
		const address = await ready(child, signal)
		const pid = child.pid as number
		return {
			metrics: async () => (await fetch(`http://${address}/metrics`, { signal })).text(),
			memory: () => memoryOf(pid),
			cpuNs: () => cpuNsOf(pid),
			stop,
		}
	} catch (reason) {
		await stop()
		throw reason
	}
}

/** Its address, once the programs are attached. */
function ready(child: ChildProcess, signal: AbortSignal): Promise<string> {
	return new Promise((resolve, reject) => {
		let text = ''
		const end = (act: () => void): void => {
			clearTimeout(timer)
			signal.removeEventListener('abort', onAbort)
			act()
		}
		const fail = (why: string): void =>
			end(() =>
				reject(new VorError('E_INTERNAL', `the vor run to be measured ${why}:\n${text.slice(-2000)}`)),
			)
		const onAbort = (): void => end(() => reject(signal.reason))
		const timer = setTimeout(() => fail(`was not ready after ${START_MS / 1000} s`), START_MS)
		signal.addEventListener('abort', onAbort)
		child.once('close', () => fail('ended'))
		child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
			// It keeps talking; only the beginning is of interest.
			if (text.length < 100_000) text += chunk
			const address = /now listening for http traffic.*addr=(\S+)/.exec(text)?.[1]
			if (address !== undefined && text.includes('is running')) end(() => resolve(address))
		})
	})
}

const pipeline = ({ pids, surface, endpoint }: VorOptions): string =>
	pipelineText({
		label: 'bench',
		ringbuf: `surface = "${surface}"

	discovery {
		instrument {
			target_pids = [${pids.join(', ')}]
		}
	}`,
		exporter: { label: 'bench', endpoint },
	})

function memoryOf(pid: number): { rss: number; peak: number } {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8')
	const bytes = (name: string): number =>
		Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024
	return { rss: bytes('VmRSS'), peak: bytes('VmHWM') }
}

const TICK_NS = 1e7

/** User and system time of a process with all its threads; in steps of a clock tick. */
export function cpuNsOf(pid: number): number {
	const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
	return (Number(fields[11]) + Number(fields[12])) * TICK_NS
}
