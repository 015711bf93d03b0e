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

/** A run of the sources needs the TypeScript loader in the worker too: worker threads do not inherit it. */
function spawnWorker(): Worker {
	const options = {
		name: 'vor-proc',
		execArgv: [],
		resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 },
	}
	if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), options)
	// Resolved by its file: require() would give the loader's CommonJS half, which cannot register.
	const manifest = createRequire(import.meta.url).resolve('tsx/package.json')
	const loader = new URL('dist/esm/api/index.mjs', pathToFileURL(manifest)).href
	const script = new URL('./worker.ts', import.meta.url).href
	const code = `import('${loader}').then((api) => { api.register(); return import('${script}') })`
	return new Worker(code, { ...options, eval: true })
}

/** At most one in this process: taken by the first table that starts, or dropped. */
let early: ScanWorker | undefined

/** A worker that looks into every executable before anyone asked. What it finds is thrown away, as that of `prepare`. */
export function beginEarlyScan(): void {
	if (early !== undefined) return
	early = startScanWorker()
	// If it fails, so does the scan that counts, and that is told.
	early.scan('all').catch(() => {})
}

export function takeEarlyScan(): ScanWorker | undefined {
	const worker = early
	early = undefined
	return worker
}

/** Nobody took it. Safe twice, and where there was none. */
export async function dropEarlyScan(): Promise<void> {
	await takeEarlyScan()?.stop()
}

export function startScanWorker(): ScanWorker {
	const worker = spawnWorker()
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
