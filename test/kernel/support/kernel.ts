import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type BpfLink, type BpfObject, openObject } from 'bpf-native-loader'
import { linkSteps } from '../../../src/capture/hooks.ts'
import {
	COUNTER,
	connRecord,
	HTTP_FLAG,
	httpRecord,
	RECORD_KIND,
	SELECTION,
} from '../../../src/capture/layout.gen.ts'

export type StorageForm = 'sock' | 'sock_hash' | 'sock_syscall' | 'sock_syscall_old'
export const STORAGE_FORMS: readonly StorageForm[] = ['sock', 'sock_hash', 'sock_syscall', 'sock_syscall_old']

/** The BPF programs on this kernel, looking only at the processes they are told to. */
export interface Kernel {
	readonly object: BpfObject
	select(pid: number, flags?: number): void
	reject(pid: number): void
	/** Everything that waits in the ring. */
	drain(): Drained
	/** Records that were not there before: the same as drain, exchanges only. */
	exchanges(): Exchange[]
	counter(name: keyof typeof COUNTER): number
	/** started - emitted - dropped: what the kernel must still hold open. */
	open(): number
	sweep(): Promise<void>
	close(): void
}

export interface Drained {
	readonly exchanges: Exchange[]
	readonly conns: Conn[]
}

export interface Conn {
	readonly tgid: number
	readonly protocol: number
	readonly role: number
	readonly family: number
	readonly localPort: number
	readonly remotePort: number
}

export interface Exchange {
	readonly tgid: number
	readonly tid: number
	readonly role: number
	readonly family: number
	readonly method: number
	readonly methodText: string
	readonly target: string
	readonly host: string
	readonly status: number
	readonly flags: readonly string[]
	readonly informational: number
	readonly requestBody: number
	readonly responseBody: number
	readonly traceId: string
	readonly spanId: string
	readonly parentId: string
	readonly headerTraceId: string
	readonly headerSpanId: string
	readonly evidence: number
	readonly absent: number
	readonly joinSeq: number
	readonly local: string
	readonly remote: string
	readonly localPort: number
	readonly remotePort: number
	readonly sock: number
	readonly peerSock: number
	readonly start: number
	readonly arrival: number
	readonly requestEnd: number
	readonly response: number
	readonly end: number
}

/** `entry: false`: as on kernels without the tracepoint at the start of a send (before 6.16). */
export async function openKernel(
	form: StorageForm,
	options: { ringBytes?: number; entry?: boolean } = {},
): Promise<Kernel> {
	const path = fileURLToPath(new URL(`../../../bpf/.output/${form}.bpf.o`, import.meta.url))
	if (!existsSync(path)) throw new Error(`${path} is missing: make -C bpf`)
	const object = openObject(path)
	try {
		return await watch(object, options)
	} catch (reason) {
		object.close()
		throw reason
	}
}

async function watch(object: BpfObject, options: { ringBytes?: number; entry?: boolean }): Promise<Kernel> {
	object.setGlobal('vor_capture_unknown', false)
	object.setGlobal('vor_self_tgid', process.pid)
	object.setGlobal('vor_selection_generation', GENERATION_MARK)
	if (options.ringBytes !== undefined) object.setMaxEntries('vor_ring', options.ringBytes)
	await object.load()
	linkSteps(object, [])
	const links: BpfLink[] = []
	for (const { name, section } of object.programs)
		if (
			section.startsWith('tp_btf/') &&
			!name.startsWith('vor_step_') &&
			(options.entry !== false || name !== 'vor_send_entry')
		)
			links.push(await object.program(name).attach())
	await bothHooksSeen()
	const ring = object.map('vor_ring').ring()
	const processes = object.map('vor_processes')
	const counters = object.map('vor_counters')
	const bss = new Uint32Array(object.map('.bss').mmap())
	const generationAt = bss.indexOf(GENERATION_MARK)
	const decide = (pid: number, verdict: number): void => {
		processes.set(u32(pid), u32(verdict))
		Atomics.add(bss, generationAt, 1)
	}
	const into = Buffer.alloc(1 << 20)
	const counter = (name: keyof typeof COUNTER): number => {
		const value = counters.get(u32(COUNTER[name]))
		if (value === undefined) throw new Error(`no counter ${name}`)
		const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
		let sum = 0
		for (let at = 0; at < value.byteLength; at += 8) sum += Number(view.getBigUint64(at, true))
		return sum
	}
	const drain = (): Drained => {
		const drained: Drained = { exchanges: [], conns: [] }
		do {
			const bytes = ring.drain(into)
			for (let at = 0; at < bytes; ) {
				const size = into.readUInt16LE(at + 2)
				const record = into.subarray(at, at + size)
				const kind = record.readUInt16LE(0)
				if (kind === RECORD_KIND.HTTP1) drained.exchanges.push(decodeExchange(record))
				else if (kind === RECORD_KIND.CONN) drained.conns.push(decodeConn(record))
				else throw new Error(`record kind ${kind}`)
				at += (size + 7) & ~7
			}
		} while (ring.more)
		return drained
	}
	return {
		object,
		select: (pid, flags = 0) => decide(pid, SELECTION.SELECTED | flags),
		reject: (pid) => decide(pid, SELECTION.REJECTED),
		drain,
		exchanges: () => drain().exchanges,
		counter,
		open: () =>
			counter('STARTED') -
			counter('EMITTED') -
			counter('DROPPED_RING_FULL') -
			counter('DROPPED_PIPELINE') -
			counter('DROPPED_REJECTED') -
			counter('DROPPED_STATE_LOST'),
		sweep: async () => {
			await object.program('vor_sweep').runIterator({ map: object.map('vor_conn_hash') })
		},
		close: () => {
			for (const link of links) link.close()
			ring.close()
			object.close()
		},
	}
}

/** The hooks look at nothing before each has run once: two operations of our own. */
async function bothHooksSeen(): Promise<void> {
	const { createServer, connect } = await import('node:net')
	const server = createServer((socket) => socket.end('.'))
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const { port } = server.address() as { port: number }
	const socket = connect(port, '127.0.0.1')
	socket.resume()
	await new Promise((resolve) => socket.once('close', resolve))
	await new Promise((resolve) => server.close(resolve))
}

/** The word is found in the mapped section by the value it starts with. */
const GENERATION_MARK = 0x5e1ec7ed

function u32(value: number): Uint8Array {
	const bytes = new Uint8Array(4)
	new DataView(bytes.buffer).setUint32(0, value, true)
	return bytes
}

const hex = (record: Buffer, at: number, size: number): string => record.toString('hex', at, at + size)
const u64 = (record: Buffer, at: number): number => Number(record.readBigUInt64LE(at))

function decodeExchange(record: Buffer): Exchange {
	const at = httpRecord
	const flags = record.readUInt32LE(at.flags)
	const targetLength = record.readUInt16LE(at.target_len)
	const hostLength = record.readUInt16LE(at.host_len)
	const methodLength = record.readUInt16LE(at.method_len)
	const text = record.subarray(at.size, at.size + record.readUInt16LE(at.text_len)).toString('latin1')
	return {
		tgid: record.readUInt32LE(at.process),
		tid: record.readUInt32LE(at.tid),
		role: record.readUInt8(at.role),
		family: record.readUInt8(at.family),
		method: record.readUInt8(at.method),
		target: text.slice(0, targetLength),
		host: text.slice(targetLength, targetLength + hostLength),
		methodText: text.slice(targetLength + hostLength, targetLength + hostLength + methodLength),
		status: record.readUInt16LE(at.status),
		flags: Object.entries(HTTP_FLAG)
			.filter(([, bit]) => (flags & bit) !== 0)
			.map(([name]) => name),
		informational: record.readUInt8(at.informational),
		requestBody: u64(record, at.request_body),
		responseBody: u64(record, at.response_body),
		traceId: hex(record, at.trace_id, 16),
		spanId: hex(record, at.span_id, 8),
		parentId: hex(record, at.parent_span_id, 8),
		headerTraceId: hex(record, at.hdr_trace_id, 16),
		headerSpanId: hex(record, at.hdr_span_id, 8),
		evidence: record.readUInt8(at.evidence),
		absent: record.readUInt8(at.absent),
		joinSeq: record.readUInt32LE(at.join_seq),
		local: hex(record, at.local, 16),
		remote: hex(record, at.remote, 16),
		localPort: record.readUInt16LE(at.local + 16),
		remotePort: record.readUInt16LE(at.remote + 16),
		sock: u64(record, at.sock),
		peerSock: u64(record, at.peer_sock),
		start: u64(record, at.start_ns),
		arrival: u64(record, at.arrival_ns),
		requestEnd: u64(record, at.request_end_ns),
		response: u64(record, at.response_ns),
		end: u64(record, at.end_ns),
	}
}

function decodeConn(record: Buffer): Conn {
	return {
		tgid: record.readUInt32LE(connRecord.process),
		protocol: record.readUInt8(connRecord.protocol),
		role: record.readUInt8(connRecord.role),
		family: record.readUInt8(connRecord.family),
		localPort: record.readUInt16LE(connRecord.local + 16),
		remotePort: record.readUInt16LE(connRecord.remote + 16),
	}
}
