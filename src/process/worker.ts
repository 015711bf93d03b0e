import { parentPort } from 'node:worker_threads'
import { createProcScanner } from './scan.ts'
import type { ScanReply, ScanRequest } from './worker-client.ts'

/** The worker thread: /proc and ELF files are read here, synchronously, so that the main thread never waits for them. */
const scanner = createProcScanner()

parentPort?.on('message', (request: ScanRequest) => {
	const started = performance.now()
	const found =
		request.pids === 'all'
			? scanner.scanAll()
			: request.pids.map((pid) => scanner.scan(pid)).filter((scanned) => scanned !== undefined)
	const reply: ScanReply = { id: request.id, found, milliseconds: performance.now() - started }
	parentPort?.postMessage(reply)
})
