import type { ProcessTracker } from '../model/process-event.ts'
import type { StageMeter } from '../telemetry/accounting.ts'
import type { SurfaceName } from './surfaces.ts'

export const DEFAULT_RING_BYTES = 8 * 1024 * 1024

export interface CaptureOptions {
	readonly meter: StageMeter
	/** Started and stopped by the capture. */
	readonly processes: ProcessTracker
	/** Size of the record ring: a power of two, at least one page. Default 8 MiB. */
	readonly ringBytes?: number
	/** The attach surface. Default: the first that this kernel takes. */
	readonly surface?: 'auto' | SurfaceName
	/** Where connections keep their state. Default: on the socket, else the hash. */
	readonly storage?: 'auto' | 'socket' | 'hash'
	/** Another object than the built one (tests). Decides the storage too. */
	readonly objectPath?: string
	/** Unix stream sockets too. Default true. */
	readonly unixSockets?: boolean
	/** The process whose sockets are never captured. Default: our own. */
	readonly selfPid?: number
	/** Bounds of the adaptive drain. Default 10 and 50 ms. */
	readonly minIntervalMs?: number
	readonly maxIntervalMs?: number
	/** Bytes drained in one turn of the event loop. Default 256 KiB: some 700 exchanges, about 5 ms of the pipeline. */
	readonly turnBytes?: number
	/** Told what a person should know; the capture writes no log itself. */
	readonly notice?: (level: 'info' | 'warn', message: string) => void
}

/** Sums over all CPUs of `vor_counters`, by the names of `enum vor_counter` in lower case. */
export type KernelCounters = Readonly<Record<string, number>>

export interface ProgramStatistics {
	readonly program: string
	/** The kernel's id of it, as bpftool shows. */
	readonly id: number
	readonly runCount: number
	readonly runTimeNs: number
	/** Hook calls that the kernel skipped because the CPU was in a BPF program already. */
	readonly recursionMisses: number
}
