import { createHash } from 'node:crypto'
import type { RawBatch } from '../../../src/model/batch.ts'
import type { FallbackCount } from '../../../src/model/exchange.ts'
import type { ProcessFact } from '../../../src/model/process-fact.ts'
import { HTTP_FLAG, METHOD_NAMES, RECORD_KIND } from '../../../src/model/record.ts'
import { offsetsOf } from '../../../src/protocols/common/layout.ts'
import { readContract } from './contract.ts'

export const contract = readContract()
const http = offsetsOf(contract, 'vor_http_record')
const conn = offsetsOf(contract, 'vor_conn_record')

/** Everything a record can say; what is left out has a plain default. */
export interface HttpRecord {
	role?: number
	pid?: number
	processStartNs?: number
	tid?: number
	netns?: number
	startNs?: number
	arrivalNs?: number
	requestEndNs?: number
	responseNs?: number
	endNs?: number
	requestBody?: number
	responseBody?: number
	family?: number
	local?: [address: string, port: number]
	remote?: [address: string, port: number]
	traceId?: string
	spanId?: string
	parentSpanId?: string
	headerTraceId?: string
	headerSpanId?: string
	sock?: number
	peerSock?: number
	joinSeq?: number
	flags?: number
	status?: number
	method?: string
	evidence?: number
	absent?: number
	target?: string
	host?: string
}

export const ANSWERED = HTTP_FLAG.responseSeen | HTTP_FLAG.responseComplete | HTTP_FLAG.requestComplete

let nextId = 1

/** An id of `bytes` bytes, spread like a random one, that no other call gave. */
export function freshId(bytes: number): string {
	return createHash('sha1')
		.update(String(nextId++))
		.digest('hex')
		.slice(0, bytes * 2)
}

export function httpRecord(fields: HttpRecord = {}): Buffer {
	const target = Buffer.from(fields.target ?? '/')
	const host = Buffer.from(fields.host ?? 'localhost:8080')
	const methodName = fields.method ?? 'GET'
	const index = (METHOD_NAMES as readonly string[]).indexOf(methodName)
	const method = index > 0 ? Buffer.alloc(0) : Buffer.from(methodName)
	const size = (http.size + target.length + host.length + method.length + 7) & ~7
	const record = Buffer.alloc(size)
	const u16 = (path: string, value: number): void => void record.writeUInt16LE(value, http(path))
	const u32 = (path: string, value: number): void => void record.writeUInt32LE(value >>> 0, http(path))
	const u64 = (path: string, value: number): void => void record.writeBigUInt64LE(BigInt(value), http(path))
	const id = (path: string, value: string | undefined): void =>
		void (value !== undefined && record.write(value, http(path), 'hex'))
	u16('header.kind', RECORD_KIND.http1)
	u16('header.size', size)
	u32('process.tgid', fields.pid ?? 100)
	u64('process.start_ns', fields.processStartNs ?? 5_000_000_000)
	u32('tid', fields.tid ?? fields.pid ?? 100)
	u32('netns', fields.netns ?? 4026531840)
	const start = fields.startNs ?? 100_000_000_000
	u64('start_ns', start)
	u64('arrival_ns', fields.arrivalNs ?? 0)
	u64('request_end_ns', fields.requestEndNs ?? start)
	u64('response_ns', fields.responseNs ?? start + 1_000_000)
	u64('end_ns', fields.endNs ?? start + 2_000_000)
	u64('request_body', fields.requestBody ?? 0)
	u64('response_body', fields.responseBody ?? 0)
	address(record, http('local.addr'), fields.local?.[0] ?? '127.0.0.1')
	address(record, http('remote.addr'), fields.remote?.[0] ?? '127.0.0.1')
	u16('local.port', fields.local?.[1] ?? 8080)
	u16('remote.port', fields.remote?.[1] ?? 40000)
	id('trace_id', fields.traceId ?? freshId(16))
	id('span_id', fields.spanId ?? freshId(8))
	id('parent_span_id', fields.parentSpanId)
	id('hdr_trace_id', fields.headerTraceId)
	id('hdr_span_id', fields.headerSpanId)
	u64('sock', fields.sock ?? 0)
	u64('peer_sock', fields.peerSock ?? 0)
	u32('join_seq', fields.joinSeq ?? 0)
	u32('flags', fields.flags ?? ANSWERED | HTTP_FLAG.sampledFlag)
	u16('status', fields.status ?? 200)
	record[http('method')] = Math.max(index, 0)
	record[http('role')] = fields.role ?? 1
	record[http('family')] = fields.family ?? 2
	record[http('evidence')] = fields.evidence ?? 0
	record[http('absent')] = fields.absent ?? 0
	u16('target_len', target.length)
	u16('host_len', host.length)
	u16('method_len', method.length)
	u16('text_len', target.length + host.length + method.length)
	Buffer.concat([target, host, method]).copy(record, http.size)
	return record
}

export function connRecord(fields: {
	pid?: number
	processStartNs?: number
	protocol: number
	role?: number
}): Buffer {
	const record = Buffer.alloc(conn.size)
	record.writeUInt16LE(RECORD_KIND.conn, conn('header.kind'))
	record.writeUInt16LE(conn.size, conn('header.size'))
	record.writeUInt32LE(fields.pid ?? 100, conn('process.tgid'))
	record.writeBigUInt64LE(BigInt(fields.processStartNs ?? 5_000_000_000), conn('process.start_ns'))
	record.writeBigUInt64LE(1_000n, conn('time_ns'))
	address(record, conn('remote.addr'), '10.0.0.9')
	record.writeUInt16LE(443, conn('remote.port'))
	record[conn('role')] = fields.role ?? 2
	record[conn('protocol')] = fields.protocol
	record[conn('family')] = 2
	return record
}

export function rawBatch(records: readonly Buffer[], more: Partial<RawBatch> = {}): RawBatch {
	const bytes = Buffer.concat(records)
	return {
		timeNs: 101_000_000_000,
		clockOffset: { seconds: 1_700_000_000, nanos: 0 },
		processes: [],
		fallback: [],
		bytes,
		length: bytes.length,
		records: records.length,
		...more,
	}
}

export function processFact(fields: Partial<ProcessFact> = {}): ProcessFact {
	return {
		pid: 100,
		startNs: 5_000_000_000,
		parentPid: 1,
		comm: 'shop',
		executable: '/usr/bin/shop',
		commandLine: ['shop'],
		language: 'go',
		serviceName: 'shop',
		serviceNameSource: 'executable',
		serviceNamespace: '',
		serviceVersion: '',
		resourceAttributes: {},
		containerId: '',
		ownerUid: 0,
		listenPorts: [],
		selection: 'selected',
		selectionReason: 'test',
		exportsOtlp: 'none',
		exitNs: 0,
		...fields,
	}
}

export function fallbackCount(fields: Partial<FallbackCount> = {}): FallbackCount {
	return {
		pid: 100,
		processStartNs: 5_000_000_000,
		role: 'server',
		methodName: 'GET',
		status: 200,
		port: 8080,
		peerReset: false,
		http10: false,
		count: 1,
		durationSumNs: 1_000_000,
		requestBodySum: 0,
		responseBodySum: 0,
		duration: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
		requestBody: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
		responseBody: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
		...fields,
	}
}

function address(record: Buffer, at: number, text: string): void {
	if (text.includes(':')) {
		const [head, tail = ''] = text.split('::') as [string, string?]
		const left = head === '' ? [] : head.split(':')
		const right = tail === '' ? [] : tail.split(':')
		const middle: string[] = text.includes('::') ? new Array(8 - left.length - right.length).fill('0') : []
		for (const [i, group] of [...left, ...middle, ...right].entries())
			record.writeUInt16BE(Number.parseInt(group, 16), at + i * 2)
		return
	}
	record.writeUInt16BE(0xffff, at + 10)
	for (const [i, part] of text.split('.').entries()) record[at + 12 + i] = Number(part)
}
