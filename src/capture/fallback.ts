import type { BpfMap } from 'bpf-native-loader'
import type { FallbackCount } from '../model/exchange.ts'
import { HTTP_FLAG, LIMIT, METHOD_NAMES, processKey, ROLE, redKey, redValue } from './layout.ts'

/**
 * The kernel's RED counts of exchanges that found no room in the ring, as differences from one reading to the next. The map
 * is read and not emptied: a CPU that holds an entry while it is deleted would add to a dead one, and RED would not be
 * exact. Entries go when their process has.
 */
export interface FallbackReader {
	read(): FallbackCount[]
}

/** Fields of one entry, summed over the CPUs: count, duration sum, two body sums, then the histograms. */
type Totals = Float64Array

const { DURATION_BUCKETS, SIZE_BUCKETS } = LIMIT
const SUMS = [redValue.count, redValue.duration_sum_ns, redValue.request_body_sum, redValue.response_body_sum]
const HISTOGRAM = SUMS.length
const FIELDS = HISTOGRAM + DURATION_BUCKETS + 2 * SIZE_BUCKETS
/** Distance of two CPUs' values. */
const STRIDE = (redValue.size + 7) & ~7

export function createFallbackReader(
	map: BpfMap,
	isAlive: (pid: number, startNs: number) => boolean,
): FallbackReader {
	const before = new Map<string, Totals>()
	return {
		read() {
			const { count, keys, values } = map.entries()
			const result: FallbackCount[] = []
			const keyView = view(keys)
			const valueView = view(values)
			for (let i = 0; i < count; i++) {
				const key = keys.subarray(i * redKey.size, (i + 1) * redKey.size)
				const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
				const totals = sum(valueView, i * STRIDE * map.cpus, map.cpus)
				const last = before.get(name)
				if (last === undefined || last[0] !== totals[0]) {
					result.push(difference(keyView, i * redKey.size, totals, last))
					before.set(name, totals)
				} else {
					const pid = keyView.getUint32(i * redKey.size + redKey.process + processKey.tgid, true)
					const startNs = u64(keyView, i * redKey.size + redKey.process + processKey.start_ns)
					// Unchanged since the last reading, and nobody is left who could change it.
					if (!isAlive(pid, startNs)) {
						map.delete(key)
						before.delete(name)
					}
				}
			}
			return result
		},
	}
}

function sum(values: DataView, at: number, cpus: number): Totals {
	const totals = new Float64Array(FIELDS)
	for (let cpu = 0; cpu < cpus; cpu++) {
		const from = at + cpu * STRIDE
		for (let i = 0; i < HISTOGRAM; i++) {
			totals[i] = (totals[i] as number) + u64(values, from + (SUMS[i] as number))
		}
		// The three histograms lie one after the other.
		for (let i = HISTOGRAM; i < FIELDS; i++) {
			totals[i] =
				(totals[i] as number) + values.getUint32(from + redValue.duration + (i - HISTOGRAM) * 4, true)
		}
	}
	return totals
}

function difference(keys: DataView, at: number, totals: Totals, last: Totals | undefined): FallbackCount {
	const since = (i: number): number => (totals[i] as number) - (last?.[i] ?? 0)
	const list = (from: number, length: number): number[] => Array.from({ length }, (_, i) => since(from + i))
	const flags = keys.getUint32(at + redKey.flags, true)
	return {
		pid: keys.getUint32(at + redKey.process + processKey.tgid, true),
		processStartNs: u64(keys, at + redKey.process + processKey.start_ns),
		role: keys.getUint8(at + redKey.role) === ROLE.SERVER ? 'server' : 'client',
		methodName: methodName(keys.getUint8(at + redKey.method)),
		status: keys.getUint16(at + redKey.status, true),
		port: keys.getUint16(at + redKey.port, true),
		peerReset: (flags & HTTP_FLAG.PEER_RESET) !== 0,
		http10: (flags & HTTP_FLAG.VERSION_10) !== 0,
		count: since(0),
		durationSumNs: since(1),
		requestBodySum: since(2),
		responseBodySum: since(3),
		duration: list(HISTOGRAM, DURATION_BUCKETS),
		requestBody: list(HISTOGRAM + DURATION_BUCKETS, SIZE_BUCKETS),
		responseBody: list(HISTOGRAM + DURATION_BUCKETS + SIZE_BUCKETS, SIZE_BUCKETS),
	}
}

function methodName(method: number): string {
	const name = METHOD_NAMES[method]
	return name === undefined || name === 'OTHER' ? '_OTHER' : name
}

function u64(from: DataView, at: number): number {
	return from.getUint32(at, true) + from.getUint32(at + 4, true) * 4294967296
}

function view(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
