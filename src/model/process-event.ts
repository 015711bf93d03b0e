import type { ProcessFact } from './process-fact.ts'

/** What the kernel tells about processes, decoded. Times are boot-clock ns; pids are of the initial pid namespace. */
export type ProcessEvent = ExecEvent | ForkEvent | ExitEvent | ListenEvent

interface ProcessEventBase {
	readonly pid: number
	/** Exact start time of the group leader: with `pid` the identity of the process. */
	readonly startNs: number
	readonly timeNs: number
}

export interface ExecEvent extends ProcessEventBase {
	readonly kind: 'exec'
	readonly parentPid: number
	readonly comm: string
	/** As given to execve, cut from the left when longer than the record holds. */
	readonly filename: string
	/** Start of argv. The last element may be cut. */
	readonly args: readonly string[]
	/** `NAME=value` of the variables whose name starts with OTEL_. */
	readonly env: readonly string[]
	/** The kernel's own device number (12:20 bits), not the one stat() shows. */
	readonly exeDev: number
	readonly exeInode: number
	readonly netns: number
}

export interface ForkEvent extends ProcessEventBase {
	readonly kind: 'fork'
	readonly parentPid: number
	readonly parentStartNs: number
	readonly comm: string
}

export interface ExitEvent extends ProcessEventBase {
	readonly kind: 'exit'
}

export interface ListenEvent extends ProcessEventBase {
	readonly kind: 'listen'
	readonly port: number
}

/** What the kernel shall do with a process's connections. */
export interface KernelSelection {
	readonly pid: number
	/** 'forget' removes the process from the kernel's table: captured as unknown. */
	readonly selection: 'selected' | 'rejected' | 'forget'
	readonly nginx: boolean
}

/** A place in an executable where one of our uprobes goes. */
export interface ProbeSite {
	readonly program: string
	/** A path that opens the file from this process's mount namespace (`/proc/<pid>/…`). */
	readonly path: string
	/** File offset. */
	readonly offset: number
	/** Identity of the file (`device:inode`). */
	readonly executableKey: string
}

/**
 * Who is running, as the capture engine uses it: it feeds events and pulls what changed, once per drain, in between of
 * which nothing changes. Implemented by `createProcessTable`.
 */
export interface ProcessTracker {
	/** Begins what is slow and needs no kernel hooks: called before the programs are loaded. */
	prepare(): void
	/** First scan of everything that runs. Resolves when its facts can be taken. */
	start(): Promise<void>
	apply(event: ProcessEvent): void
	/** Process events were lost: everything is scanned anew, off the main thread. */
	rescan(): void
	/** A record of this process passes: makes sure that a fact with exactly this start time is known. Cheap when it is. */
	see(pid: number, startNs: number): void
	/** New and changed facts since the last call, oldest first. `nowNs` also ages out what exited over 30 s ago. */
	takeFacts(nowNs: number): readonly ProcessFact[]
	isAlive(pid: number, startNs: number): boolean
	takeSelections(): readonly KernelSelection[]
	takeProbeSites(): readonly ProbeSite[]
	/** The probe hangs (or, with false, could not be hung): processes of that executable may count on its evidence. */
	probeAttached(site: ProbeSite, attached: boolean): void
	/** Called when the worker brought something to take, so that an idle drain does not delay it. */
	onChange(callback: () => void): void
	stop(): Promise<void>
}
