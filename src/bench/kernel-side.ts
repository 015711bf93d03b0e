import { readdirSync } from 'node:fs'
import { BpfError, type BpfLink, type RingReader } from 'bpf-native-loader'
import { type KernelObject, loadKernelObject } from '../capture/kernel-object.ts'
import { HEADER, httpRecord, processKey, RECORD_KIND, SELECTION } from '../capture/layout.ts'
import { objectPath } from '../capture/paths.ts'
import type { SurfaceName } from '../capture/surfaces.ts'
import type { Side } from './paired.ts'

export interface ProgramRuns {
	readonly program: string
	readonly runCount: number
	readonly runTimeNs: number
	/** What the verifier walked; 0 where the kernel does not keep the count (before 5.16). */
	readonly verifiedInstructions: number
}

/** One attach surface, loaded once, attached and detached as often as wanted. */
export interface KernelSide extends Side {
	readonly surface: SurfaceName
	readonly storage: string
	/** Whose requests are seen; every other process that runs now is left alone. */
	select(pids: readonly number[]): void
	/** Empties the ring: exchanges of the selected processes that ever came out of it. */
	takeSeen(): number
	/** Since the programs were loaded; counted while the kernel's statistics are on. */
	programs(): ProgramRuns[]
	close(): Promise<void>
}

/** As Vör's own drain under load. */
const DRAIN_MS = 10

export async function openKernelSide(surface: SurfaceName): Promise<KernelSide> {
	return new LoadedSide(await loadKernelObject({ surface }))
}

class LoadedSide implements KernelSide {
	private seen = 0
	private kernel: KernelObject
	private ring: RingReader
	private processRing: RingReader
	private wasAttached = false
	/** Closed, and its successor is not loaded. */
	private isGone = false
	private readonly bytes = new Uint8Array(1 << 20)
	private readonly view = new DataView(this.bytes.buffer)
	private selected: ReadonlySet<number> = new Set()
	/** The processes in the map. */
	private known = new Set<number>()
	private links: BpfLink[] = []
	private timer: NodeJS.Timeout | undefined

	constructor(kernel: KernelObject) {
		this.kernel = kernel
		this.ring = kernel.object.map('vor_ring').ring()
		this.processRing = kernel.object.map('vor_process_ring').ring()
	}

	get surface(): SurfaceName {
		return this.kernel.surface
	}

	get storage(): string {
		return this.kernel.storage
	}

	select(pids: readonly number[]): void {
		this.selected = new Set(pids)
		this.tellSelection()
	}

	private tellSelection(): void {
		const pids = this.selected
		const map = this.kernel.object.map('vor_processes')
		const word = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer)
		const running = new Set(
			readdirSync('/proc')
				.filter((name) => /^\d+$/.test(name))
				.map(Number),
		)
		for (const pid of running) map.set(word(pid), word(SELECTION.REJECTED))
		for (const pid of pids) map.set(word(pid), word(SELECTION.SELECTED))
		// The map has room for 65 536, and a long run sees more come and go.
		for (const pid of this.known) if (!running.has(pid)) map.delete(word(pid))
		this.known = running
		this.kernel.bumpSelection()
	}

	async attach(): Promise<void> {
		try {
			this.links = await this.kernel.attach()
		} catch (reason) {
			if (!this.wasAttached || !(reason instanceof BpfError) || reason.code !== 'ENOENT') throw reason
			await this.loadAgain()
			this.links = await this.kernel.attach()
		}
		this.wasAttached = true
		this.timer = setInterval(() => this.drain(), DRAIN_MS)
	}

	async detach(): Promise<void> {
		clearInterval(this.timer)
		// A perf event takes up to 60 ms to detach: all at once, off the main thread.
		await Promise.all(this.links.splice(0).map((link) => link.closeAsync()))
		this.drain()
	}

	/** Before 5.13 a trampoline's program can be attached only once: it is loaded anew, which takes seconds. */
	private async loadAgain(): Promise<void> {
		const { form, surface, object } = this.kernel
		this.isGone = true
		await object.closeAsync()
		this.kernel = await loadKernelObject({ surface, objectPath: objectPath(form) })
		this.ring = this.kernel.object.map('vor_ring').ring()
		this.processRing = this.kernel.object.map('vor_process_ring').ring()
		this.isGone = false
		this.known = new Set()
		this.tellSelection()
	}

	takeSeen(): number {
		this.drain()
		return this.seen
	}

	programs(): ProgramRuns[] {
		const { object } = this.kernel
		return object.programs
			.filter((program) => this.kernel.isLoaded(program))
			.map(({ name }) => ({ program: name, ...object.program(name).stats() }))
	}

	async close(): Promise<void> {
		if (this.isGone) return
		await this.detach()
		await this.kernel.object.closeAsync()
	}

	private drain(): void {
		do this.count(this.ring.drain(this.bytes))
		while (this.ring.more)
		do this.processRing.drain(this.bytes)
		while (this.processRing.more)
	}

	private count(length: number): void {
		const { view } = this
		for (let at = 0; at + HEADER.bytes <= length; at += view.getUint16(at + HEADER.sizeAt, true)) {
			if (view.getUint16(at + HEADER.kindAt, true) !== RECORD_KIND.HTTP1) continue
			if (this.selected.has(view.getUint32(at + httpRecord.process + processKey.tgid, true))) this.seen++
		}
	}
}
