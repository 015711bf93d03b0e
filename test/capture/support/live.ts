import { type ChildProcess, execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Capture, createCapture } from '../../../src/capture/capture.ts'
import { HEADER, httpRecord, processKey, RECORD_KIND } from '../../../src/capture/layout.ts'
import type { CaptureOptions } from '../../../src/capture/options.ts'
import type { FallbackCount } from '../../../src/model/exchange.ts'
import type { ProcessFact } from '../../../src/model/process-fact.ts'
import {
	createProcessTable,
	type ProcessTable,
	type ProcessTableOptions,
} from '../../../src/process/table.ts'
import { type Accounting, createAccounting } from '../../../src/telemetry/accounting.ts'
import { spawnPolitely } from '../../helpers/spawn.ts'

/** What the tests look at of an exchange's record. */
export interface Seen {
	readonly pid: number
	readonly startNs: number
	readonly role: 'server' | 'client'
	readonly status: number
	readonly target: string
	readonly port: number
	/** The fact that stood in front of the record in its batch or an earlier one. */
	readonly fact: ProcessFact | undefined
}

export interface Live {
	readonly capture: Capture
	readonly table: ProcessTable
	readonly accounting: Accounting
	readonly seen: Seen[]
	readonly fallback: FallbackCount[]
	readonly notices: string[]
	/** Waits until `check` holds; throws after 10 s. */
	until(check: () => boolean, what: string): Promise<void>
}

/** A running capture that reads every batch into plain objects. Stop it. */
export async function startCapture(
	options: Partial<CaptureOptions> = {},
	tableOptions: ProcessTableOptions = {},
): Promise<Live> {
	const accounting = createAccounting()
	const table = createProcessTable(tableOptions)
	const notices: string[] = []
	const capture = createCapture({
		meter: accounting.meter('', 'ebpf.ringbuf.test'),
		processes: table,
		notice: (_, message) => void notices.push(message),
		...options,
	})
	const seen: Seen[] = []
	const fallback: FallbackCount[] = []
	const facts = new Map<string, ProcessFact>()
	capture.batches.subscribe((batch) => {
		for (const fact of batch.processes) facts.set(`${fact.pid}/${fact.startNs}`, fact)
		fallback.push(...batch.fallback)
		readExchanges(Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.length), (exchange) => {
			seen.push({ ...exchange, fact: facts.get(`${exchange.pid}/${exchange.startNs}`) })
		})
	})
	await capture.start()
	const waitUntil = (check: () => boolean, what: string): Promise<void> =>
		until(
			check,
			() => `${what}; ${JSON.stringify([capture.counters(), capture.statistics, table.counters, notices])}`,
		)
	return { capture, table, accounting, seen, fallback, notices, until: waitUntil }
}

function readExchanges(bytes: Buffer, give: (exchange: Omit<Seen, 'fact'>) => void): void {
	for (let at = 0; at < bytes.length; at += bytes.readUInt16LE(at + HEADER.sizeAt)) {
		if (bytes.readUInt16LE(at + HEADER.kindAt) !== RECORD_KIND.HTTP1) continue
		const text = at + httpRecord.size
		const server = bytes[at + httpRecord.role] === 1
		give({
			pid: bytes.readUInt32LE(at + httpRecord.process + processKey.tgid),
			startNs: Number(bytes.readBigUInt64LE(at + httpRecord.process + processKey.start_ns)),
			role: server ? 'server' : 'client',
			status: bytes.readUInt16LE(at + httpRecord.status),
			target: bytes.toString('latin1', text, text + bytes.readUInt16LE(at + httpRecord.target_len)),
			port: bytes.readUInt16LE(at + (server ? httpRecord.local : httpRecord.remote) + 16),
		})
	}
}

async function until(check: () => boolean, what: () => string): Promise<void> {
	// Not the wall clock: a machine that was paused steps it.
	const deadline = performance.now() + 60_000
	while (!check()) {
		if (performance.now() > deadline) throw new Error(`waited a minute for: ${what()}`)
		await new Promise((resolve) => setTimeout(resolve, 10))
	}
}

const children = new Set<ChildProcess>()

/** Starts a program that prints its port as its first line. */
export async function startServer(
	command: string,
	args: readonly string[],
	options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ pid: number; port: number; child: ChildProcess }> {
	const child = spawnPolitely(command, args, {
		stdio: ['ignore', 'pipe', 'inherit'],
		cwd: options.cwd,
		env: { ...process.env, ...options.env },
	})
	children.add(child)
	const port = await new Promise<number>((resolve, reject) => {
		child.stdout.once('data', (chunk: Buffer) => resolve(Number.parseInt(chunk.toString(), 10)))
		child.once('error', reject)
		child.once('exit', (code) => reject(new Error(`${command} ended with ${code}`)))
	})
	return { pid: child.pid as number, port, child }
}

export const NODE_SERVER = `
const server = require('http').createServer((request, response) => {
	response.statusCode = request.url.startsWith('/missing') ? 404 : 200
	response.end('hello')
})
server.keepAliveTimeout = 60000
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

export function stopServers(): void {
	// Not SIGKILL: nginx would leave its workers.
	for (const child of children) child.kill('SIGTERM')
	children.clear()
}

export const run = promisify(execFile)
