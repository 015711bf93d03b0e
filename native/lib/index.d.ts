/** bpf-native-loader: load, attach and drain eBPF programs from Node.js over libbpf. Nothing here runs JS per record. */

export type ProgramState = 'closed' | 'open' | 'loaded'

export interface OpenOptions {
	/** Object name used in map and program names; default: file name. */
	name?: string
	/** A BTF file to relocate against instead of /sys/kernel/btf/vmlinux. */
	btfPath?: string
}

/** Opens (parses) an ELF object; nothing is loaded yet. Throws BpfError. */
export function openObject(source: string | Uint8Array, options?: OpenOptions): BpfObject

export interface BpfObject {
	readonly name: string
	readonly state: ProgramState
	readonly programs: readonly ProgramInfo[]
	readonly maps: readonly MapInfo[]
	/** Sets a `const volatile` global before load. Numbers for 1-8 byte integers and bools, bytes for anything else. */
	setGlobal(name: string, value: number | bigint | boolean | Uint8Array): void
	setAutoload(program: string, autoload: boolean): void
	setAutocreate(map: string, autocreate: boolean): void
	/** Before load. */
	setMaxEntries(map: string, entries: number): void
	/** Loads and verifies off the main thread. Rejects with BpfError (with verifierLog). */
	load(options?: { logLevel?: 0 | 1 | 2 }): Promise<void>
	program(name: string): BpfProgram
	map(name: string): BpfMap
	/** Structs and enums of the object's own BTF. */
	btf(): BtfLayout
	/**
	 * Detaches every link, frees everything. Safe twice, and while a load or attach runs (which then rejects with ECANCELED).
	 * Also done at process exit. Blocks for as long as the kernel needs to detach: up to 5 ms a tp_btf link, 60 ms a
	 * perf event (tracepoint, kprobe, uprobe).
	 */
	close(): void
	/** The same with the detaching off the main thread; the object counts as closed at once. */
	closeAsync(): Promise<void>
}

export interface ProgramInfo {
	readonly name: string
	readonly section: string
	readonly type: string
	readonly autoload: boolean
}

export interface MapInfo {
	readonly name: string
	readonly type: string
	readonly keySize: number
	readonly valueSize: number
	readonly maxEntries: number
}

export interface BpfProgram extends ProgramInfo {
	/** After load. */
	readonly id: number
	readonly fd: number
	/** Counted only while statistics are on (`enableStats`), but for recursionMisses. */
	stats(): ProgramStats
	/** By the section name (tp_btf, raw_tp, fentry, fexit, kprobe, iter, …). */
	attach(): Promise<BpfLink>
	/** Classic tracepoint; needs no tracefs mount. */
	attachTracepoint(category: string, name: string): Promise<BpfLink>
	attachKprobe(symbol: string, options?: { retprobe?: boolean }): Promise<BpfLink>
	attachUprobe(options: UprobeOptions): Promise<BpfLink>
	attachUsdt(options: {
		path: string
		pid?: number
		provider: string
		name: string
		cookie?: bigint
	}): Promise<BpfLink>
	/** sock_ops, cgroup_skb, cgroup/connect4 …: attached to a cgroup v2 directory. */
	attachCgroup(cgroupPath: string): Promise<BpfLink>
	/** sk_msg, sk_skb: attached to a sockmap or sockhash. */
	attachMap(map: BpfMap): Promise<BpfLink>
	/**
	 * tc: a tcx link (6.6), which ends with the process, or a clsact filter where the kernel has no tcx or a priority or
	 * handle is given. A clsact filter outlives a killed process.
	 */
	attachTc(options: {
		ifindex: number
		direction: 'ingress' | 'egress'
		priority?: number
		handle?: number
	}): Promise<BpfLink>
	/** Runs an iterator program to its end and returns what it wrote with bpf_seq_write. Off the main thread. */
	runIterator(options?: { map?: BpfMap }): Promise<Uint8Array>
	/** BPF_PROG_TEST_RUN. */
	testRun(options: { data?: Uint8Array; context?: Uint8Array; repeat?: number }): {
		retval: number
		durationNs: number
		data: Uint8Array
	}
}

export interface UprobeOptions {
	path: string
	/** File offset; or give `symbol` (with `offset` added to it). */
	offset?: number
	symbol?: string
	/** -1 (default): every process that maps the file. */
	pid?: number
	retprobe?: boolean
	cookie?: bigint
}

export interface ProgramStats {
	readonly runCount: number
	readonly runTimeNs: number
	readonly recursionMisses: number
	readonly verifiedInstructions: number
	readonly memlockBytes: number
	readonly translatedBytes: number
	readonly jitedBytes: number
}

export interface BpfLink {
	readonly program: string
	readonly closed: boolean
	/** Detaches. Safe twice. */
	close(): void
	/** Detaches off the main thread. */
	closeAsync(): Promise<void>
}

export interface BpfMap extends MapInfo {
	readonly fd: number
	/** CPUs whose values lie one after the other in a per-CPU value, each padded to 8 bytes. */
	readonly cpus: number
	/** undefined when the key is absent. Per-CPU maps: all CPUs' values back to back. */
	get(key: Uint8Array): Uint8Array | undefined
	/** flags: 'any' (default), 'noexist', 'exist'. Throws BpfError. */
	set(key: Uint8Array, value: Uint8Array, flags?: 'any' | 'noexist' | 'exist'): void
	/** false when the key was absent. */
	delete(key: Uint8Array): boolean
	keys(): Uint8Array[]
	/** Every entry, by batch operations where the kernel has them. `take` also deletes (lookup and delete). */
	entries(options?: { take?: boolean; limit?: number }): {
		count: number
		keys: Uint8Array
		values: Uint8Array
	}
	/** Array maps with BPF_F_MMAPABLE and global data (.bss, .data): shared memory, writable, whole pages. */
	mmap(): ArrayBuffer
	/** The ring reader of this ring buffer map. One at a time. */
	ring(): RingReader
	/** Closes the ring reader and detaches the ArrayBuffer of `mmap`. The map itself lives as long as its object. */
	close(): void
}

export interface RingReader {
	/** Bytes of the ring. */
	readonly size: number
	/**
	 * Copies whole records (payload only, back to back, padded to 8) into `into` until it is full, `maxRecords` are
	 * copied, or the ring is empty. A record that does not fit stays in the ring.
	 */
	drain(into: Uint8Array, maxRecords?: number): number
	/** Records copied by the last drain; discarded records skipped by it. */
	readonly lastRecords: number
	readonly lastDiscarded: number
	/** True when the last drain stopped because of room or count, not because the ring was empty. */
	readonly more: boolean
	/** Bytes waiting now. */
	available(): number
	/** Payload size of the record at the head, 0 when empty: what `into` must at least hold. */
	nextSize(): number
	/**
	 * Called once after each forced wake-up, then not again before the next drain (a latch). Called soon after it is set,
	 * too, when data already waits. Keeps the event loop alive while set. undefined: stop.
	 */
	onWakeup(callback: (() => void) | undefined): void
	close(): void
}

export interface BtfLayout {
	readonly structs: readonly { name: string; size: number; members: readonly BtfMember[] }[]
	readonly enums: readonly { name: string; values: readonly { name: string; value: number }[] }[]
}

export interface BtfMember {
	readonly name: string
	/** Bytes. */
	readonly offset: number
	readonly size: number
	/** C type as text: 'u32', 'u8[16]', 'struct vor_address'. */
	readonly type: string
	/** Bit fields only: first bit within the byte at `offset`, and number of bits. */
	readonly bitOffset?: number
	readonly bitSize?: number
}

export type FeatureKind =
	| { kind: 'program'; type: string }
	| { kind: 'map'; type: string }
	| { kind: 'helper'; type: string; helper: number }
	/** A BTF-enabled tracepoint that programs can be loaded for (loads a one-instruction program). */
	| { kind: 'tp_btf'; name: string }
	| { kind: 'fentry'; name: string }
	| { kind: 'kprobe'; name: string }
	| { kind: 'tracepoint'; category: string; name: string }

/** Loads (and for fentry, kprobe, tracepoint also attaches) the smallest program. */
export function probeFeature(
	feature: FeatureKind,
): Promise<{ supported: boolean; errno: string; message: string }>

/** Turns kernel-wide run statistics on until the handle is closed (BPF_ENABLE_STATS). */
export function enableStats(): { close(): void }

/** Every BPF program loaded on this machine: for leak checks. */
export function listPrograms(): readonly { id: number; name: string; type: string }[]

export function libbpfVersion(): string

/** CLOCK_BOOTTIME (ns, what bpf_ktime_get_boot_ns gives) and CLOCK_REALTIME of the same instant, read back to back. */
export function bootClock(): {
	readonly bootNs: number
	readonly realSeconds: number
	readonly realNanos: number
}

/**
 * Makes glibc share this many heaps between the threads that allocate from now on (M_ARENA_MAX, for the whole process).
 * Loading parses the kernel's BTF on a pool thread: with a heap of its own, that thread keeps some 45 MB for ever; with 1
 * they go back. False where the C library has no such setting.
 */
export function limitHeapArenas(count: number): boolean

export class BpfError extends Error {
	/** What was being done: 'open', 'load', 'attach', 'map_update' … */
	readonly operation: string
	/** 'EPERM', 'EINVAL' … */
	readonly errno: string
	/** The same as `errno`, under the name that Node's own errors use. */
	readonly code: string
	readonly errnoNumber: number
	/** Program or map concerned, '' if none. */
	readonly subject: string
	/** For a verifier refusal: the one or two telling lines stand in message; the whole log here. */
	readonly log: string
}
