import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { VorError } from '../util/errors.ts'
import type { ScannedProcess } from './scan.ts'

export interface ScanRequest {
	readonly id: number
	readonly pids: readonly number[] | 'all'
}

export interface ScanReply {
	readonly id: number
	readonly found: readonly ScannedProcess[]
	readonly milliseconds: number
}

/** Scans off the main thread. Rejects with E_INTERNAL when the worker died. */
export interface ScanWorker {
	scan(pids: readonly number[] | 'all'): Promise<readonly ScannedProcess[]>
	stop(): Promise<void>
}

export function startScanWorker(): ScanWorker {
	const source = import.meta.url.endsWith('.ts')
	const worker = new Worker(new URL(source ? './worker.ts' : './worker.js', import.meta.url), {
		name: 'vor-proc',
		// A run of the sources needs the TypeScript loader in the worker too.
		execArgv: source ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : [],
	})
	worker.unref()
	const waiting = new Map<
		number,
		{ resolve(found: readonly ScannedProcess[]): void; reject(error: Error): void }
	>()
	let nextId = 1
	let dead: VorError | undefined
	const fail = (reason: unknown): void => {
		dead ??= new VorError('E_INTERNAL', 'the process scanner died', { cause: reason })
		for (const entry of waiting.values()) entry.reject(dead)
		waiting.clear()
	}
	worker.on('message', (reply: ScanReply) => {
		waiting.get(reply.id)?.resolve(reply.found)
		waiting.delete(reply.id)
	})
	worker.on('error', fail)
	worker.on('exit', (code) => fail(new Error(`exit code ${code}`)))
	return {
		scan(pids) {
			if (dead !== undefined) return Promise.reject(dead)
			return new Promise((resolve, reject) => {
				const request: ScanRequest = { id: nextId++, pids }
				waiting.set(request.id, { resolve, reject })
				worker.postMessage(request)
			})
		},
		async stop() {
			dead ??= new VorError('E_INTERNAL', 'the process scanner was stopped')
			await worker.terminate()
		},
	}
}
