import type { BpfMap } from 'bpf-native-loader'
import type { StageMeter } from '../telemetry/accounting.ts'
import { COUNTER } from './layout.ts'
import type { KernelCounters } from './options.ts'

/** Reads `vor_counters` (one u64 per CPU each) and books what changed with the stage's meter. */
export interface CounterReader {
	/**
	 * Once per drain, after it: reads all and books. `handedOn`: exchanges given to the pipeline since the last call.
	 * The unit is the request: received = started in the kernel, sent = handed on, held = open or still in the ring.
	 */
	read(handedOn: number): void
	readonly totals: KernelCounters
	/** Requests whose record did not find room, since the start. */
	readonly ringFull: number
	/** Requests started, neither handed on nor dropped. */
	readonly held: number
}

/** Why a started request has no record: the counter, and the reason in `vor_component_dropped_total`. */
const DROPPED: readonly (readonly [counter: keyof typeof COUNTER, reason: string])[] = [
	['DROPPED_RING_FULL', 'ring_full'],
	['DROPPED_PIPELINE', 'pipeline'],
	['DROPPED_REJECTED', 'filtered'],
	['DROPPED_STATE_LOST', 'state_lost'],
]

export function createCounterReader(map: BpfMap, meter: StageMeter): CounterReader {
	const names: string[] = []
	for (const [name, index] of Object.entries(COUNTER)) if (name !== 'MAX') names[index] = name.toLowerCase()
	const values = new Float64Array(names.length)
	const totals: Record<string, number> = {}
	for (const name of names) totals[name] = 0
	const booked = new Float64Array(DROPPED.length)
	let started = 0
	let held = 0
	meter.held(() => held)
	return {
		totals,
		get ringFull() {
			return values[COUNTER.DROPPED_RING_FULL] as number
		},
		get held() {
			return held
		},
		read(handedOn) {
			readAll(map, values)
			for (let i = 0; i < names.length; i++) totals[names[i] as string] = values[i] as number
			const beginnings = (values[COUNTER.STARTED] as number) - started
			started += beginnings
			meter.received(beginnings)
			meter.sent(handedOn)
			held += beginnings - handedOn
			for (let i = 0; i < DROPPED.length; i++) {
				const [counter, reason] = DROPPED[i] as (typeof DROPPED)[number]
				const total = values[COUNTER[counter]] as number
				const since = total - (booked[i] as number)
				booked[i] = total
				meter.dropped(since, reason, reason === 'filtered')
				held -= since
			}
		},
	}
}

/** Sums of all CPUs, by index. */
function readAll(map: BpfMap, into: Float64Array): void {
	const { count, keys, values } = map.entries()
	const keyView = new DataView(keys.buffer, keys.byteOffset, keys.byteLength)
	const valueView = new DataView(values.buffer, values.byteOffset, values.byteLength)
	for (let i = 0; i < count; i++) {
		const index = keyView.getUint32(i * 4, true)
		if (index >= into.length) continue
		let sum = 0
		for (let cpu = 0; cpu < map.cpus; cpu++) {
			const at = (i * map.cpus + cpu) * 8
			sum += valueView.getUint32(at, true) + valueView.getUint32(at + 4, true) * 4294967296
		}
		into[index] = sum
	}
}
